// Start: draw the map first, then the rest; redraw what a control has changed.

const CURVES = ['accuracy', 'loss'];
const FIXED = ['stress', 'spectrum', 'misfit-runs', 'shepard', 'matrix'];

let pending = 0; // redraws under way; html[data-ready] says 'yes' when there is none

async function redraw(what, focus) {
  pending += 1;
  root.dataset.ready = 'no';
  await draw(what, focus);
  pending -= 1;
  if (pending === 0) root.dataset.ready = 'yes';
}

async function draw(what, focus) {
  drawKey();
  if (what !== 'map') drawAllChips(redraw);
  if (focus !== undefined) {
    const chips = [...document.querySelectorAll('.chip')];
    chips.find((made) => made.dataset.level === focus)?.focus();
  }
  await drawMap();
  if (what === 'map') return;
  const rest = [...CURVES.map((name) => () => drawCurve(name)), drawMisfit, ...(what === 'all' ? FIXED : []).map((name) => () => drawFixed(name))];
  for (const next of rest) {
    await new Promise((resume) => setTimeout(resume)); // let the browser show what is drawn already
    await next();
  }
}

function setUpDownloads() {
  const box = document.getElementById('downloads');
  const offer = (name, what, text, type) => {
    const made = button(name, '', () => download(name, text(), type));
    const note = document.createElement('small');
    note.textContent = what;
    made.dataset.download = name;
    made.append(note);
    box.append(made);
  };
  offer('embedding.csv', 'points and coordinates', () => embeddingTable(0, data.fitted), 'text/csv');
  if (data.total > data.fitted) {
    offer('projected.csv', 'points placed afterwards', () => embeddingTable(data.fitted, data.total), 'text/csv');
  }
  offer('spectrum.csv', 'eigenvalues and stress', spectrumTable, 'text/csv');
  if (data.fit) offer('misfit.csv', 'how well points fit', misfitTable, 'text/csv');
  if (data.provenance) {
    offer('provenance.json', 'where it came from', () => JSON.stringify(data.provenance, null, 2), 'application/json');
  }
}

async function start() {
  setUpPage(redraw);
  setUpControls(redraw);
  setUpTable();
  setUpDownloads();
  await redraw('all');
}

start();
