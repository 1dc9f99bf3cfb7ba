// The pictures that follow the controls: the map and the learning curves.

const state = {x: 1, y: 2, z: 3, color: 'run', filter: '', hidden: new Map(), projected: true, equal: false};
const MANY = 5000; // above so many points, flat pictures are drawn by the graphics card

function isHidden(name, row) {
  const hidden = name && state.hidden.get(name);
  return Boolean(hidden && hidden.size && hidden.has(columns.get(name).codes[row]));
}

function isVisible(row) {
  if (row >= data.fitted && !state.projected) return false;
  return !isHidden(state.color, row) && !isHidden(state.filter, row);
}

/** The visible lines by look: rows that follow each other in one run and have one colour. */
function lines() {
  const paint = columns.get(state.color);
  const colours = paint.codes && paint.colours[theme()];
  const several = paint.codes && paint.levels.length > 24;
  const groups = new Map();
  for (const run of runs) {
    let line = null;
    let last = null;
    run.rows.forEach((row, i) => {
      const look = paint.codes ? colours[paint.codes[row]] : '';
      if (!isVisible(row)) { line = null; return; }
      if (!line || look !== last) {
        const key = `${look} ${run.projected} ${paint.codes && !several ? paint.codes[row] : ''}`;
        if (!groups.has(key)) {
          const name = paint.codes && !several ? escaped(paint.levels[paint.codes[row]]) : '';
          groups.set(key, {colour: look, name, projected: run.projected, lines: []});
        }
        line = [];
        groups.get(key).lines.push(line);
        last = look;
      }
      line.push({row, end: run.rows.length === 1 ? 'only' : i === 0 ? 'start' : i === run.rows.length - 1 ? 'end' : ''});
    });
  }
  return [...groups.values()];
}

const LOOKS = {
  only: {symbol: ['circle', 'diamond'], size: [5, 7]},
  start: {symbol: ['circle-open', 'diamond-open'], size: [5, 7]},
  end: {symbol: ['circle', 'diamond'], size: [6.5, 8]},
  '': {symbol: ['circle', 'diamond'], size: [2.6, 4]},
};

/** One trace for a group of lines; places are functions from a row to a number, two or three of them, and symbolOf to its marker. */
function traceOf(group, places, plainEnds, symbolOf) {
  const count = group.lines.reduce((sum, line) => sum + line.length + 1, 0);
  const out = places.map(() => new Float64Array(count).fill(NaN));
  const text = new Array(count).fill('');
  const symbol = new Array(count).fill('circle');
  const size = new Array(count).fill(0);
  const shade = new Float64Array(count).fill(NaN);
  const paint = columns.get(state.color);
  const kind = group.projected ? 1 : 0;
  let at = 0;
  for (const line of group.lines) {
    for (const {row, end} of line) {
      const look = LOOKS[plainEnds && end !== 'only' ? '' : end];
      places.forEach((place, i) => { out[i][at] = place(row); });
      text[at] = hoverText(row);
      symbol[at] = symbolOf ? symbolOf(row) : look.symbol[kind];
      size[at] = symbolOf ? 5 : look.size[kind];
      if (!paint.codes) shade[at] = shadeOf(paint, row);
      at += 1;
    }
    at += 1;
  }
  const flat = places.length === 2;
  const scale = flat ? 1.25 : 1;
  const scaled = {color: shade, coloraxis: 'coloraxis'};
  const ink = paint.codes ? {color: group.colour} : scaled;
  const line = {width: flat ? 1.4 : 3, dash: group.projected ? (flat ? 'dash' : 'dot') : 'solid',
    ...(paint.codes || !flat ? ink : {color: 'rgba(128, 128, 128, 0.45)'})};
  return {
    type: flat ? (data.total > MANY ? 'scattergl' : 'scatter') : 'scatter3d',
    mode: 'lines+markers', name: (group.name || 'runs') + (group.projected ? ' (projected)' : ''),
    showlegend: Boolean(group.name), legendgroup: group.name,
    x: out[0], y: out[1], ...(flat ? {} : {z: out[2]}),
    text, hovertemplate: '%{text}<extra></extra>', connectgaps: false, line,
    marker: {symbol, size: size.map((s) => s * scale), opacity: 1, ...ink,
      line: {width: flat && !plainEnds ? 1.2 : 0, ...ink}},
  };
}

function shadeOf(paint, row) {
  const value = paint.values[row];
  return paint.log ? Math.log10(value + paint.offset) : value;
}

function stepPlace(row) {
  return columns.get('step').values[row] + (data.step.log ? 1 : 0);
}

function place(axis) {
  return axis === 'step' ? stepPlace : (row) => coordinate(row, axis);
}

/** The scale of colours; on a narrow page only the map has its bar, which says what colours mean below as well. */
function colorAxis(ofMap) {
  const paint = columns.get(state.color);
  if (paint.codes) return {};
  const scale = {colorscale: data.sequential[theme()]};
  if (narrow() && !ofMap) return {coloraxis: {...scale, showscale: false}};
  const title = {text: escaped(state.color), side: 'top'};
  const low = narrow() ? {orientation: 'h', y: -0.08, yanchor: 'top', len: 0.9} : {len: 0.7, x: 1.0};
  return {coloraxis: {...scale,
    colorbar: {thickness: 10, outlinewidth: 0, title, tickfont: {color: tone('ink')}, ...low, ...paint.ticks}}};
}

/** One trace per reference point: an array of text positions is not drawn right in space. */
function referenceTraces(chosen) {
  if (!data.references || chosen.includes('step')) return [];
  const flat = chosen.length === 2;
  const shapes = {ignorance: 'square', truth: flat ? 'star' : 'cross'};
  return data.references.names.map((name, i) => {
    const [x, y, z] = chosen.map((k) => [data.references.coords[i][k - 1]]);
    return {
      type: flat ? 'scatter' : 'scatter3d', mode: 'markers+text', name: escaped(name), showlegend: false,
      x, y, ...(flat ? {} : {z}), text: [escaped(name)],
      textposition: name === 'truth' ? 'bottom center' : 'top center', cliponaxis: flat ? false : undefined,
      textfont: {color: tone('ink'), size: narrow() ? 11 : 14}, hovertemplate: '<b>%{text}</b><extra></extra>',
      marker: {symbol: shapes[name] || 'x', size: flat ? 12 : 5, color: tone('ink'),
        line: {width: flat ? 1.5 : 0, color: tone('card')}},
    };
  });
}

/** The first view; from farther away where the picture is narrow. */
function camera() {
  const away = narrow() ? 1.3 : 1;
  const {x, y, z} = data.camera.eye;
  return {...data.camera, eye: {x: x * away, y: y * away, z: z * away}};
}

/** What an axis says; in space on a narrow page without the divergence, which the lead names. */
function titleOf(axis, flat) {
  const {title, title3d} = data.axes[axis - 1];
  if (flat) return title;
  return narrow() ? title3d.split('<br>')[0] : title3d;
}

function drawMap() {
  const chosen = [state.x, state.y, state.z].filter((axis) => axis !== 0);
  const traces = [...lines().map((group) => traceOf(group, chosen.map(place), false)), ...referenceTraces(chosen)];
  const flat = chosen.length === 2;
  const axes = chosen.map((axis) => {
    const title = axis === 'step' ? data.step.axis.title.text : titleOf(axis, flat);
    return {...(flat ? axisLook() : spaceLook()), ...(axis === 'step' ? data.step.axis : {}), title: titled(title, narrow() ? 10.5 : 12.5)};
  });
  const layout = {...baseLayout(), ...colorAxis(true), uirevision: [...chosen, state.equal].join(' ')};
  if (flat) {
    const equal = state.equal && state.x !== 'step' ? {scaleanchor: 'x', scaleratio: 1} : {};
    Object.assign(layout, {xaxis: axes[0], yaxis: {...axes[1], ...equal}});
  } else {
    layout.margin = {l: 0, r: 0, t: 0, b: 0};
    const fill = narrow() ? 'cube' : 'manual';
    layout.scene = {xaxis: axes[0], yaxis: axes[1], zaxis: axes[2],
      aspectmode: state.equal ? 'data' : fill, aspectratio: data.aspect,
      camera: camera(), uirevision: 'camera', bgcolor: tone('card')};
  }
  return Plotly.react('plot-map', traces, layout, config);
}

function drawCurve(name) {
  const gd = document.getElementById(`plot-${name}`);
  if (!gd) return null;
  const values = columns.get(name).values;
  const traces = lines().map((group) => traceOf(group, [stepPlace, (row) => values[row]], true));
  const layout = {...baseLayout(), ...colorAxis(), uirevision: name,
    xaxis: {...axisLook(), ...data.step.axis},
    yaxis: {...axisLook(), ...(name === 'loss' ? {...data.loss, title: {text: 'loss (nats)'}} : {title: {text: 'accuracy'}})}};
  return Plotly.react(gd, traces, layout, config);
}

function drawMisfit() {
  const gd = document.getElementById('plot-misfit');
  if (!gd) return null;
  const {misfit, bias, symbols} = data.fit;
  const values = columns.get(misfit).values;
  const signs = columns.get(bias).values;
  const known = lines().filter((group) => group.lines.some((line) => line.some(({row}) => Number.isFinite(values[row]))));
  const symbolOf = (row) => (signs[row] > 0 ? symbols.far : symbols.near);
  const traces = known.map((group) => traceOf(group, [stepPlace, (row) => values[row]], true, symbolOf));
  const layout = {...baseLayout(), ...colorAxis(), uirevision: 'misfit',
    xaxis: {...axisLook(), ...data.step.axis},
    yaxis: {...axisLook(), title: {text: misfit}, tickformat: '~%', rangemode: 'tozero'}};
  return Plotly.react(gd, traces, layout, config);
}

/** The names of both checkpoints of each pair [M, 2]. */
function pairTexts(pairs) {
  const name = (row) => `<b>${escaped(cell('run', row))}</b> · step ${cell('step', row)}`;
  const rows = array(pairs);
  return Array.from({length: rows.length / 2}, (_, i) => `${name(rows[2 * i])}<br>${name(rows[2 * i + 1])}`);
}

function drawFixed(name) {
  const gd = document.getElementById(`plot-${name}`);
  const figure = data.figures[name];
  if (!gd || !figure) return null;
  const layout = dressed(figure);
  let traces = repainted(figure.data);
  if (name === 'matrix') {
    traces = traces.map((trace) => ({...trace, colorscale: data.sequential[theme()]}));
    layout.margin.t = 64;
    layout.yaxis.tickfont = {size: 10};
    if (narrow()) Object.assign(layout, {yaxis: {...layout.yaxis, showticklabels: false}, margin: {l: 10, r: 0, t: 64, b: 36}});
  }
  if (name === 'stress' || name === 'spectrum') {
    gd.style.height = narrow() ? '410px' : '';
    if (narrow()) Object.assign(layout.legend, {orientation: 'h', x: 0, y: -0.2, xanchor: 'left', yanchor: 'top'});
  }
  if (name === 'misfit-runs') {
    gd.style.height = `${figure.layout.height}px`;
    layout.margin.t = narrow() ? 84 : 40;
    layout.yaxis.tickfont = {size: narrow() ? 8.5 : 11};
    layout.xaxis.title = titled(figure.layout.xaxis.title.text.replace(' · ', narrow() ? '<br>' : ' · '), narrow() ? 10.5 : 12.5);
    return Plotly.react(gd, traces, layout, {...config, displayModeBar: false});
  }
  if (name === 'shepard') {
    layout.yaxis.zerolinecolor = tone('muted');
    layout.xaxis.title = titled(figure.layout.xaxis.title.text.replace(' · ', narrow() ? '<br>' : ' · '), narrow() ? 10.5 : 12.5);
    data.pairs.forEach((pairs, i) => { if (pairs) traces[i].text = pairTexts(pairs); });
  }
  return Plotly.react(gd, traces, layout, config);
}
