// The map of all checkpoints with one marker per run, which a slider moves along progress.

const grid = array(data.grid); // [T]
const moving = array(data.moving); // [R, T, K]
const journey = {at: Math.floor(grid.length / 2), drawn: -1, busy: false, playing: null};

/** Coordinate k (from 1) of a run at a value of progress; a map of one axis is drawn against progress. */
function placeOf(run, t, axis) {
  return axis === 'step' ? grid[t] : moving[(run * grid.length + t) * K + axis - 1];
}

function journeyAxes() {
  return [state.x, state.y, state.z].filter((axis) => axis !== 0);
}

/** A colour '#rrggbb' most of the way to the paper. */
function faint(colour) {
  const parts = (hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));
  const paper = parts(tone('card'));
  return `rgb(${parts(colour).map((c, i) => Math.round(0.3 * c + 0.7 * paper[i])).join(',')})`;
}

/** The line of every run and nothing else, to be seen through. */
function trails(chosen) {
  const values = columns.get('progress').values;
  const places = chosen.map((axis) => (axis === 'step' ? (row) => values[row] : place(axis)));
  return lines().map((group) => {
    const colour = group.colour ? faint(group.colour) : 'rgba(128, 128, 128, 0.35)';
    const {type, x, y, z} = traceOf(group, places, true);
    return {type, x, y, ...(z ? {z} : {}), mode: 'lines', name: 'trails', showlegend: false, connectgaps: false,
      line: {width: chosen.length === 2 ? 1 : 2, color: colour}, hoverinfo: 'skip'};
  });
}

function shownRuns() {
  return runs.map((_, i) => i).filter((i) => isVisible(runs[i].rows[0]));
}

function markers(chosen) {
  const shown = shownRuns();
  const flat = chosen.length === 2;
  const trace = {type: flat ? 'scatter' : 'scatter3d', mode: 'markers', name: 'runs', showlegend: false,
    text: shown.map((i) => runText(runs[i])), hovertemplate: '%{text}<extra></extra>',
    marker: {...inkOf(shown.map((i) => runs[i].rows[0])), size: flat ? 10 : 6, opacity: 1,
      line: {width: flat ? 1 : 0.5, color: tone('card')}}};
  ['x', 'y', 'z'].slice(0, chosen.length).forEach((name, k) => { trace[name] = shown.map((i) => placeOf(i, journey.at, chosen[k])); });
  return trace;
}

function drawJourney() {
  const gd = document.getElementById('plot-map');
  if (!gd) return null;
  const chosen = journeyAxes();
  const flat = chosen.length === 2;
  const traces = [...trails(chosen), markers(chosen)];
  const axes = chosen.map((axis) => {
    const title = axis === 'step' ? data.titles.progress : titleOf(axis, flat);
    return {...(flat ? axisLook() : spaceLook()), title: titled(title, narrow() ? 10.5 : 12.5)};
  });
  const layout = {...baseLayout(), ...colorAxis(), uirevision: chosen.join(' ')};
  if (flat) {
    Object.assign(layout, {xaxis: axes[0], yaxis: axes[1]});
  } else {
    layout.margin = {l: 0, r: 0, t: 0, b: 0};
    layout.scene = {xaxis: axes[0], yaxis: axes[1], zaxis: axes[2], aspectmode: narrow() ? 'cube' : 'manual',
      aspectratio: data.aspect, camera: camera(), uirevision: 'camera', bgcolor: tone('card')};
  }
  document.getElementById('key').textContent = flat ? '' : 'drag to turn, scroll to zoom';
  journey.drawn = journey.at;
  return Plotly.react(gd, traces, layout, config);
}

/** Move the markers to where the slider is; while one move is drawn, the next ones become one. */
async function follow() {
  say();
  const gd = document.getElementById('plot-map');
  if (journey.busy || !gd.data) return;
  journey.busy = true;
  root.dataset.ready = 'no';
  while (journey.drawn !== journey.at) {
    journey.drawn = journey.at;
    const shown = shownRuns();
    const places = {};
    journeyAxes().forEach((axis, k) => { places['xyz'[k]] = [shown.map((i) => placeOf(i, journey.drawn, axis))]; });
    await Plotly.restyle(gd, places, [gd.data.length - 1]);
    await new Promise((resume) => requestAnimationFrame(resume));
  }
  journey.busy = false;
  if (pending === 0) root.dataset.ready = 'yes';
}

function say() {
  const slider = document.getElementById('progress');
  const value = grid[journey.at].toFixed(2);
  slider.value = journey.at;
  slider.setAttribute('aria-valuetext', `progress ${value}`);
  document.getElementById('progress-value').textContent = value;
}

function setPlaying(walk) {
  journey.playing = walk;
  document.getElementById('play').textContent = walk ? 'Pause' : 'Play';
}

async function play() {
  const walk = journey.playing ? null : {};
  setPlaying(walk);
  if (walk && journey.at === grid.length - 1) journey.at = 0;
  while (walk && journey.playing === walk && journey.at < grid.length - 1) {
    journey.at += 1;
    await follow();
    await new Promise((resume) => setTimeout(resume, 40));
  }
  if (walk && journey.playing === walk) setPlaying(null);
}

function setUpJourney() {
  const slider = document.getElementById('progress');
  if (!slider) return;
  const hasSpace = Boolean(document.createElement('canvas').getContext('webgl'));
  const flat = [[1, 2, 0], [1, 3, 0], [2, 3, 0]].filter((axes) => Math.max(...axes) <= K);
  const views = K === 1 ? [['step', 1, 0]] : K === 2 || !hasSpace ? flat : [[1, 2, 3], ...flat];
  const named = views.map((axes, i) => [i, axes.filter((axis) => axis !== 0).map((axis) => (axis === 'step' ? 'progress' : axis)).join(', ')]);
  const look = (i) => { [state.x, state.y, state.z] = views[i]; };
  look(0);
  fill('view', named, 0).addEventListener('change', (event) => { look(Number(event.target.value)); redraw('map'); });
  slider.max = grid.length - 1;
  slider.addEventListener('input', () => {
    setPlaying(null);
    journey.at = Number(slider.value);
    follow();
  });
  document.getElementById('play').addEventListener('click', play);
  say();
}
