// Light and dark, and the layout that all pictures share.

const root = document.documentElement;
const preferred = window.matchMedia('(prefers-color-scheme: dark)');

function theme() {
  return root.dataset.theme;
}

function setTheme(name) {
  root.dataset.theme = name;
  document.getElementById('theme').textContent = name === 'dark' ? 'Light' : 'Dark';
}

function tone(name) {
  return getComputedStyle(root).getPropertyValue(`--${name}`).trim();
}

function narrow() {
  return window.innerWidth <= 600;
}

/** The look of a flat axis. */
function axisLook() {
  return {gridcolor: tone('grid'), linecolor: tone('rule'), tickcolor: tone('rule'), zeroline: false,
    showline: true, ticks: 'outside', ticklen: 4, automargin: true};
}

/** The look of an axis in space. */
function spaceLook() {
  return {gridcolor: tone('grid'), linecolor: tone('muted'), zeroline: false, showbackground: false,
    showspikes: false, nticks: narrow() ? 3 : 5, tickfont: {size: 10, color: tone('muted')}};
}

function titled(text, size) {
  return {text, font: {size, color: tone('ink')}};
}

/** What every layout has: fonts, papers, legends, hover. */
function baseLayout() {
  return {
    autosize: true,
    font: {family: tone('sans'), size: narrow() ? 11 : 12.5, color: tone('ink')},
    paper_bgcolor: tone('card'),
    plot_bgcolor: tone('card'),
    margin: {l: 56, r: 16, t: 12, b: 48},
    hovermode: 'closest',
    hoverlabel: {align: 'left', bgcolor: tone('card'), bordercolor: tone('muted'),
      font: {family: tone('sans'), size: 12.5, color: tone('ink')}},
    showlegend: false,
  };
}

const config = {
  responsive: true,
  displaylogo: false,
  showSendToCloud: false, // nothing leaves this file
  plotlyServerURL: '',
  modeBarButtonsToRemove: ['toImage', 'select2d', 'lasso2d', 'autoScale2d', 'resetCameraLastSave3d', 'tableRotation'],
};

/** Traces that were made beforehand, in colours for the paper of the page; the ink of figures becomes that of the page. */
function repainted(traces) {
  const paper = theme() === 'dark' ? data.on_dark : {};
  const paint = (value, key) => {
    if (ArrayBuffer.isView(value) || value === null) return value;
    if (Array.isArray(value)) return value.map((item) => paint(item, key));
    if (typeof value === 'object') return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, paint(item, name)]));
    return /color/i.test(key) ? (value === data.ink ? tone('ink') : paper[value] || value) : value;
  };
  return paint(traces, '');
}

/** The layout of a figure that was made beforehand, in the look of the page. */
function dressed(figure) {
  const base = baseLayout();
  const layout = {...base, ...figure.layout, font: base.font, margin: {...base.margin}, showlegend: true};
  layout.xaxis = {...axisLook(), ...figure.layout.xaxis};
  layout.yaxis = {...axisLook(), ...figure.layout.yaxis};
  layout.legend = {...figure.layout.legend, font: {color: tone('ink')}};
  return layout;
}

function saveImage(plot, format) {
  const gd = document.getElementById(plot);
  const legend = gd.data.filter((trace) => trace.showlegend !== false && trace.name).length;
  const layout = {...gd.layout, showlegend: legend > 0 && legend <= 24};
  if (layout.scene) layout.legend = {x: 1, xanchor: 'right', y: 1, yanchor: 'top', bgcolor: 'rgba(0, 0, 0, 0)'};
  const size = {width: gd.clientWidth, height: gd.clientHeight};
  return Plotly.downloadImage({data: gd.data, layout}, {format, scale: 2, ...size, filename: `infogeo-${plot.slice(5)}`});
}

/** Start the pictures afresh when the page becomes narrow or wide, once the width has settled. */
function watchWidth(redraw) {
  let small = narrow();
  let waiting = 0;
  const settle = () => {
    if (narrow() === small) return;
    small = narrow();
    document.querySelectorAll('.plot').forEach((gd) => Plotly.purge(gd));
    redraw('all');
  };
  window.addEventListener('resize', () => { clearTimeout(waiting); waiting = setTimeout(settle, 250); });
}

/** A box whose columns go on to the right fades there. */
function showThereIsMore(box) {
  const look = () => box.classList.toggle('more', box.scrollLeft + box.clientWidth < box.scrollWidth - 4);
  box.addEventListener('scroll', look);
  const sizes = new ResizeObserver(look);
  sizes.observe(box);
  sizes.observe(box.firstElementChild);
}

/** What every page does: light and dark, buttons that save pictures, wide tables, narrow and wide. */
function setUpPage(redraw) {
  const turn = (name) => { setTheme(name); redraw('all'); };
  setTheme(preferred.matches ? 'dark' : 'light');
  preferred.addEventListener('change', (event) => turn(event.matches ? 'dark' : 'light'));
  document.getElementById('theme').addEventListener('click', () => turn(theme() === 'dark' ? 'light' : 'dark'));
  document.querySelectorAll('.save button').forEach((made) => {
    made.addEventListener('click', () => saveImage(made.dataset.plot, made.dataset.format));
  });
  document.querySelectorAll('.scroll').forEach(showThereIsMore);
  watchWidth(redraw);
}
