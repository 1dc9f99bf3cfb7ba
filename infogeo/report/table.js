// The table of runs, one row per run with its last checkpoint, and tables that are in the page: sorted by any heading.

const FIRST_ROWS = 500;

function setUpTable() {
  const table = document.getElementById('table-runs');
  const more = document.getElementById('more-runs');
  const scores = ['accuracy', 'loss'].filter((name) => columns.has(name));
  const meta = [...columns.keys()].filter((name) => !['run', 'step', ...MEASURED].includes(name));
  const misfits = data.fit && array(data.fit.runs);
  const last = (run) => run.rows[run.rows.length - 1];
  const heads = [
    {label: 'run', value: (run) => run.name + (run.projected ? ' (projected)' : '')},
    ...meta.map((name) => ({label: name, value: (run) => cell(name, last(run)), number: Boolean(columns.get(name).values)})),
    {label: 'checkpoints', value: (run) => run.rows.length, number: true},
    {label: 'last step', value: (run) => cell('step', last(run)), number: true},
    ...scores.map((name) => ({label: `final ${name}`, value: (run) => cell(name, last(run)), number: true, digits: 4})),
    ...(misfits ? [{label: 'misfit', value: (run) => (Number.isFinite(misfits[run.index]) ? misfits[run.index] : ''), number: true, digits: 4}] : []),
    ...data.axes.slice(0, 3).map((_, i) => ({label: `x${i + 1}`, value: (run) => coordinate(last(run), i + 1), number: true, digits: 4})),
  ];
  const rows = runs.map((run) => heads.map((head) => head.value(run)));
  let shown = FIRST_ROWS;
  const body = document.createElement('tbody');
  const drawBody = () => {
    body.replaceChildren(...rows.slice(0, shown).map((row) => {
      const line = document.createElement('tr');
      row.forEach((value, i) => {
        const made = document.createElement(i === 0 ? 'th' : 'td');
        if (i === 0) { made.scope = 'row'; made.title = value; }
        if (heads[i].number) made.className = 'number';
        const digits = heads[i].digits;
        made.textContent = digits && typeof value === 'number' ? value.toFixed(digits) : short(value, 6);
        line.append(made);
      });
      return line;
    }));
    more.hidden = rows.length <= shown;
    more.textContent = `Show all ${rows.length} runs`;
  };
  const header = document.createElement('tr');
  const sortBy = (i, th) => {
    const direction = th.getAttribute('aria-sort') === 'ascending' ? -1 : 1;
    header.querySelectorAll('th').forEach((other) => other.removeAttribute('aria-sort'));
    th.setAttribute('aria-sort', direction === 1 ? 'ascending' : 'descending');
    rows.sort((a, b) => direction * compare(a[i], b[i]));
    drawBody();
  };
  heads.forEach((head, i) => {
    const th = document.createElement('th');
    th.scope = 'col';
    if (head.number) th.className = 'number';
    th.append(button(head.label, '', () => sortBy(i, th)));
    header.append(th);
  });
  const top = document.createElement('thead');
  top.append(header);
  table.replaceChildren(top, body);
  more.addEventListener('click', () => { shown = rows.length; drawBody(); });
  drawBody();
}

/** Numbers by size, text by its natural order, what is missing first. */
function compare(a, b) {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return String(a).localeCompare(String(b), 'en', {numeric: true});
}

/** Headings become buttons that sort the rows below them. */
function makeSortable(table) {
  const heads = [...table.tHead.rows[0].cells];
  const body = table.tBodies[0];
  const valueIn = (row, i) => {
    const text = row.cells[i].textContent;
    const number = parseFloat(text);
    return heads[i].classList.contains('number') && Number.isFinite(number) ? number : text;
  };
  const sortBy = (i) => {
    const direction = heads[i].getAttribute('aria-sort') === 'ascending' ? -1 : 1;
    heads.forEach((head) => head.removeAttribute('aria-sort'));
    heads[i].setAttribute('aria-sort', direction === 1 ? 'ascending' : 'descending');
    body.replaceChildren(...[...body.rows].sort((a, b) => direction * compare(valueIn(a, i), valueIn(b, i))));
  };
  heads.forEach((head, i) => head.replaceChildren(button(head.textContent, '', () => sortBy(i))));
}
