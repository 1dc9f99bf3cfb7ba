// Start: draw every picture of a comparison; redraw all of them when the colour or the groups change.

const FIRST = ['map', 'progress', 'road', 'roads', 'tubes', 'dendrogram', 'importance'];
const PICTURES = {
  map: drawJourney,
  progress: () => drawLines('progress', [stepPlace, valueOf('progress')], {...data.step.axis}, data.titles.progress),
  road: () => drawLines('road', [valueOf('progress'), valueOf(data.distance)], {title: {text: data.titles.progress}}, data.titles.distance),
  roads: drawRoads,
  tubes: drawTubes,
  dendrogram: drawTree,
  importance: drawImportance,
};

let pending = 0; // redraws under way; html[data-ready] says 'yes' when there is none

async function redraw(what, focus) {
  pending += 1;
  root.dataset.ready = 'no';
  if (what !== 'map') {
    drawChips(document.getElementById('chips-color'), state.color, false, redraw);
    [...document.querySelectorAll('.chip')].find((made) => made.dataset.level === focus)?.focus();
  }
  for (const name of what === 'map' ? ['map'] : FIRST) {
    if (document.getElementById(`plot-${name}`)) await PICTURES[name]();
    await new Promise((resume) => setTimeout(resume)); // let the browser show what is drawn already
  }
  pending -= 1;
  if (pending === 0 && !journey.busy) root.dataset.ready = 'yes';
}

function valueOf(name) {
  const {values} = columns.get(name);
  return (row) => values[row];
}

/** A title that fits the height of a small picture. */
function sized(text) {
  return titled(text, narrow() ? 11 : 12.5);
}

/** What a run is, without its checkpoints. */
function runText(run) {
  const names = data.colours.filter((name) => name !== 'run');
  const facts = names.map((name) => `${escaped(name)}: ${escaped(short(cell(name, run.rows[0])))}`);
  return [`<b>${escaped(run.name)}</b>`, ...facts].join('<br>');
}

/** The colours of markers that stand for these rows. */
function inkOf(rows) {
  const paint = columns.get(state.color);
  if (paint.codes) return {color: rows.map((row) => paint.colours[theme()][paint.codes[row]])};
  return {color: rows.map((row) => shadeOf(paint, row)), coloraxis: 'coloraxis'};
}

function drawLines(name, places, across, title) {
  const traces = lines().map((group) => ({...traceOf(group, places, true), showlegend: false}));
  const layout = {...baseLayout(), ...colorAxis(), uirevision: name,
    xaxis: {...axisLook(), ...across, title: sized(across.title.text)}, yaxis: {...axisLook(), title: sized(title), rangemode: 'tozero'}};
  return Plotly.react(`plot-${name}`, traces, layout, config);
}

function drawRoads() {
  const places = array(data.roads.coords);
  const shown = shownRuns();
  const trace = {type: 'scatter', mode: 'markers', name: 'runs', x: shown.map((i) => places[2 * i]), y: shown.map((i) => places[2 * i + 1]),
    text: shown.map((i) => runText(runs[i])), hovertemplate: '%{text}<extra></extra>',
    marker: {...inkOf(shown.map((i) => runs[i].rows[0])), size: 10, line: {width: 1, color: tone('card')}}};
  const [x, y] = data.roads.titles;
  const layout = {...baseLayout(), ...colorAxis(), uirevision: 'roads', xaxis: {...axisLook(), title: sized(x)},
    yaxis: y ? {...axisLook(), title: sized(y)} : {visible: false}};
  return Plotly.react('plot-roads', [trace], layout, config);
}

/** The colour of a configuration: grey where its runs may differ in what is coloured. */
function configurationColours(rows) {
  const paint = columns.get(state.color);
  if (!data.shared.includes(state.color)) return rows.map(() => '#8C8C8C');
  if (paint.codes) return rows.map((row) => paint.colours[theme()][paint.codes[row]]);
  const known = rows.map((row) => shadeOf(paint, row));
  const low = Math.min(...known);
  const span = Math.max(...known) - low || 1;
  const scale = data.sequential[theme()];
  return known.map((value) => scale[Math.round((scale.length - 1) * (value - low) / span)][1]);
}

function isShown(row) {
  return !data.shared.includes(state.color) || isVisible(row);
}

function drawTubes() {
  const {labels, rows} = data.tubes;
  const across = array(data.tubes.grid);
  const widths = array(data.tubes.widths);
  const colours = configurationColours(rows);
  const traces = labels.map((label, k) => ({
    type: 'scatter', mode: 'lines', name: escaped(label), showlegend: false, visible: isShown(rows[k]), x: across,
    y: widths.subarray(k * across.length, (k + 1) * across.length), line: {width: 1.4, color: colours[k]},
    hovertemplate: `<b>${escaped(label)}</b><br>progress %{x:.2f}<br>spread %{y:.4g} nats<extra></extra>`,
  }));
  const layout = {...baseLayout(), uirevision: 'tubes', xaxis: {...axisLook(), title: sized(data.titles.progress)},
    yaxis: {...axisLook(), title: sized(data.titles.spread), rangemode: 'tozero'}};
  return Plotly.react('plot-tubes', traces, layout, config);
}

function drawTree() {
  const gd = document.getElementById('plot-dendrogram');
  const figure = data.figures.dendrogram;
  const {labels, rows} = data.leaves;
  const leaves = {type: 'scatter', mode: 'markers', x: rows.map(() => 0), y: rows.map((_, i) => i), cliponaxis: false, showlegend: false,
    marker: {symbol: 'square', size: 10, color: configurationColours(rows)}, text: labels.map(escaped), hovertemplate: '%{text}<extra></extra>'};
  const [tree, ...others] = repainted(figure.data).filter((trace) => trace.meta !== 'leaf');
  const heat = others.map((trace) => ({...trace, colorscale: data.sequential[theme()]}));
  const layout = dressed(figure);
  const small = narrow();
  for (const name of ['xaxis2', 'yaxis2']) layout[name] = {...axisLook(), ...figure.layout[name]};
  Object.assign(layout.xaxis, {title: sized('nats'), ...(small ? {nticks: 3, tickangle: 0} : {})});
  if (small) layout.yaxis2.showticklabels = false;
  const height = Math.min(figure.layout.height, small ? 460 : Infinity);
  gd.style.height = `${height}px`;
  Object.assign(layout, {height, showlegend: false, margin: {l: small ? 8 : 20, r: small ? 4 : 16, t: 60, b: 44}});
  return Plotly.react(gd, [tree, leaves, ...heat], layout, config);
}

function drawImportance() {
  const figure = data.figures.importance;
  const layout = dressed(figure);
  layout.margin.t = 40;
  layout.xaxis.title = sized(figure.layout.xaxis.title.text);
  layout.title = {...figure.layout.title, font: {size: narrow() ? 12 : 13.5, color: tone('ink')}};
  return Plotly.react('plot-importance', repainted(figure.data), layout, {...config, displayModeBar: false});
}

async function start() {
  setUpPage(redraw);
  document.querySelectorAll('table.sortable').forEach(makeSortable);
  state.color = data.colours[0];
  fill('color-by', data.colours.map((name) => [name, name]), state.color)
    .addEventListener('change', (event) => { state.color = event.target.value; redraw('all'); });
  setUpJourney();
  await redraw('all');
}

start();
