// Start: draw every picture of a study of dimensions; draw them again in another theme or width.

const data = JSON.parse(document.getElementById('data').textContent);

let pending = 0; // redraws under way; html[data-ready] says 'yes' when there is none

async function redraw() {
  pending += 1;
  root.dataset.ready = 'no';
  for (const name of Object.keys(data.figures)) {
    await (name === 'estimates' ? drawEstimates() : drawCurves(name));
    await new Promise((resume) => setTimeout(resume)); // let the browser show what is drawn already
  }
  pending -= 1;
  if (pending === 0) root.dataset.ready = 'yes';
}

function drawCurves(name) {
  const figure = data.figures[name];
  const layout = dressed(figure);
  layout.legend.font.size = narrow() ? 11 : 12.5;
  layout.xaxis.title = titled(figure.layout.xaxis.title.text, narrow() ? 11 : 12.5);
  return Plotly.react(`plot-${name}`, repainted(figure.data), layout, config);
}

/** Rows with the estimator's name above each interval; on a narrow page long names take several lines. */
function drawEstimates() {
  const gd = document.getElementById('plot-estimates');
  const figure = data.figures.estimates;
  const layout = dressed(figure);
  const size = narrow() ? 10.5 : 12;
  const height = figure.layout.height * (narrow() ? 1.25 : 1);
  gd.style.height = `${height}px`;
  const longest = narrow() ? 50 : Infinity;
  const annotations = figure.layout.annotations.map((note) => ({...note, text: parted(note.text, longest), font: {size, color: tone('muted')}}));
  Object.assign(layout, {height, annotations});
  layout.margin.l = 12;
  layout.xaxis.title = titled(figure.layout.xaxis.title.text, narrow() ? 11 : 12.5);
  return Plotly.react(gd, repainted(figure.data), layout, {...config, displayModeBar: false});
}

/** A text in lines of at most so many letters, parted between words. */
function parted(text, longest) {
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines[lines.length - 1];
    if (line && line.length + word.length >= longest) lines.push(word);
    else lines[lines.length - 1] = line ? `${line} ${word}` : word;
  }
  return lines.join('<br>');
}

async function start() {
  setUpPage(redraw);
  document.querySelectorAll('table.sortable').forEach(makeSortable);
  await redraw();
}

start();
