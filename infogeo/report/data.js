// The numbers of the page: typed arrays from base64, columns, runs, and the tables that one can download.

const data = JSON.parse(document.getElementById('data').textContent);
const K = data.axes.length;

function array({dtype, bdata}) {
  const bytes = Uint8Array.from(atob(bdata), (letter) => letter.charCodeAt(0));
  return new {f4: Float32Array, f8: Float64Array, i4: Int32Array}[dtype](bytes.buffer);
}

const coords = array(data.coords); // [total, K], row after row
const order = array(data.runs.order); // rows by run, then by step
const columns = new Map(data.columns.map((column) => [column.name, {
  ...column,
  values: column.values && array(column.values),
  codes: column.codes && array(column.codes),
}]));
const MEASURED = ['accuracy', 'loss', ...(data.fit ? [data.fit.misfit, data.fit.bias] : [])]; // columns that say how good, not what
const runs = [];
array(data.runs.stops).forEach((stop, i, stops) => {
  const rows = order.subarray(i ? stops[i - 1] : 0, stop);
  runs.push({index: i, rows, projected: rows[0] >= data.fitted, name: cell('run', rows[0])});
});

/** The value of a column at a row, as a reader writes it. */
function cell(name, row) {
  const column = columns.get(name);
  if (column.values) return Number.isFinite(column.values[row]) ? column.values[row] : '';
  const text = column.levels[column.codes[row]];
  return text === '(none)' ? '' : text;
}

/** Coordinate k (from 1) of a row; the shortest decimal number that is the same float32. */
function coordinate(row, k) {
  return coords[row * K + k - 1];
}

function short(value, digits = 4) {
  if (typeof value !== 'number') return value;
  if (Number.isInteger(value)) return String(value);
  return String(Number(value.toPrecision(digits)));
}

/** Text that plotly shows letter by letter: its pseudo-HTML is switched off. */
function escaped(text) {
  return String(text).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

const hoverCache = new Array(data.total);
function hoverText(row) {
  if (!hoverCache[row]) {
    const lines = [`<b>${escaped(cell('run', row))}</b>`, `step ${cell('step', row)}`];
    for (const name of columns.keys()) {
      const value = name === 'run' || name === 'step' ? '' : cell(name, row);
      if (value !== '') lines.push(`${escaped(name)}: ${escaped(short(value))}`);
    }
    if (row >= data.fitted) lines.push('<i>placed on the map afterwards</i>');
    hoverCache[row] = lines.join('<br>');
  }
  return hoverCache[row];
}

function csv(header, rows) {
  const quoted = (value) => (/[",\r\n]/.test(value) ? `"${String(value).replaceAll('"', '""')}"` : String(value));
  return [header, ...rows].map((row) => row.map(quoted).join(',')).join('\n') + '\n';
}

function embeddingTable(from, to) {
  const names = [...columns.keys()].filter((name) => !data.fit || ![data.fit.misfit, data.fit.bias].includes(name));
  const axes = data.axes.map((_, i) => i + 1);
  const rows = [];
  for (let row = from; row < to; row += 1) {
    rows.push([
      ...names.map((name) => cell(name, row)),
      ...axes.map((k) => Number(coordinate(row, k).toPrecision(9))),
    ]);
  }
  return csv([...names, ...axes.map((k) => `x${k}`)], rows);
}

function misfitTable() {
  const {misfit, bias} = data.fit;
  const names = ['run', 'step', misfit, bias];
  const known = [...new Array(data.total).keys()].filter((row) => cell(misfit, row) !== '');
  return csv(['run', 'step', 'misfit', 'bias'], known.map((row) => names.map((name) => cell(name, row))));
}

function spectrumTable() {
  const names = Object.keys(data.spectrum);
  return csv(names, data.spectrum.k.map((_, i) => names.map((name) => data.spectrum[name][i] ?? '')));
}

function download(name, text, type) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([text], {type}));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}
