// Selects and chips: what the map shows.

const MOST_CHIPS = 300;

function fill(id, options, value) {
  const select = document.getElementById(id);
  select.replaceChildren(...options.map(([key, text]) => new Option(text, key, false, String(key) === String(value))));
  return select;
}

function axisOptions() {
  return data.axes.map((axis, i) => [i + 1, `${i + 1}${axis.timelike ? ' (time-like)' : ''}`]);
}

function setUpControls(redraw) {
  const hasSpace = Boolean(document.createElement('canvas').getContext('webgl'));
  if (K === 1) Object.assign(state, {x: 'step', y: 1, z: 0});
  else if (K === 2 || !hasSpace) state.z = 0;
  const meta = [...columns.keys()].filter((name) => !['run', 'step', ...MEASURED].includes(name));
  const good = meta.find((name) => (columns.get(name).levels || []).length > 1);
  state.color = good || 'run';
  const axis = (name) => {
    const extra = {x: [['step', 'step']], y: [], z: [[0, 'none (flat)']]}[name];
    fill(`axis-${name}`, [...axisOptions(), ...extra], state[name]).addEventListener('change', (event) => {
      state[name] = event.target.value === 'step' ? 'step' : Number(event.target.value);
      redraw('map');
    });
  };
  ['x', 'y', 'z'].forEach(axis);
  const known = MEASURED.filter((name) => columns.has(name));
  fill('color-by', [...meta, 'run', 'step', ...known].map((name) => [name, name]), state.color)
    .addEventListener('change', (event) => { state.color = event.target.value; redraw('groups'); });
  const groups = [...meta, 'run'].filter((name) => columns.get(name).codes);
  fill('filter-by', [['', 'none'], ...groups.map((name) => [name, name])], '')
    .addEventListener('change', (event) => { state.filter = event.target.value; redraw('groups'); });
  document.getElementById('equal-scale').addEventListener('change', (event) => {
    state.equal = event.target.checked;
    redraw('map');
  });
}

function button(text, className, action) {
  const made = document.createElement('button');
  made.type = 'button';
  made.className = className;
  made.textContent = text;
  made.addEventListener('click', action);
  return made;
}

function chip(level, colour, pressed, count, toggle) {
  const made = button('', 'chip', toggle);
  made.dataset.level = level;
  made.setAttribute('aria-pressed', String(pressed));
  const swatch = document.createElement('span');
  swatch.className = 'swatch';
  swatch.style.background = colour;
  const label = document.createElement('span');
  label.textContent = level;
  made.append(swatch, label);
  if (count > 1) {
    const number = document.createElement('span');
    number.className = 'count';
    number.textContent = count;
    number.title = `${count} runs`;
    made.append(number);
  }
  return made;
}

function runsPerLevel(column) {
  const counts = new Array(column.levels.length).fill(0);
  for (const run of runs) counts[column.codes[run.rows[run.rows.length - 1]]] += 1;
  return counts;
}

function drawChips(box, name, plain, redraw) {
  box.replaceChildren();
  const column = name && columns.get(name);
  if (column && column.codes) {
    if (!state.hidden.has(name)) state.hidden.set(name, new Set());
    const hidden = state.hidden.get(name);
    const counts = runsPerLevel(column);
    const label = document.createElement('span');
    label.className = 'name';
    label.textContent = name;
    const all = (show) => { hidden.clear(); if (!show) column.levels.forEach((_, i) => hidden.add(i)); redraw('groups'); };
    box.append(label, button('all', 'bulk', () => all(true)), button('none', 'bulk', () => all(false)));
    column.levels.slice(0, MOST_CHIPS).forEach((level, i) => {
      const toggle = () => { if (!hidden.delete(i)) hidden.add(i); redraw('groups', level); };
      box.append(chip(level, plain ? 'var(--muted)' : column.colours[theme()][i], !hidden.has(i), counts[i], toggle));
    });
    if (column.levels.length > MOST_CHIPS) box.append(`and ${column.levels.length - MOST_CHIPS} more`);
  }
}

function drawAllChips(redraw) {
  const box = document.getElementById('chips-color');
  drawChips(box, state.color, false, redraw);
  if (data.total > data.fitted) {
    const toggle = () => { state.projected = !state.projected; redraw('groups', 'projected'); };
    box.append(chip('projected', 'var(--ink)', state.projected, 0, toggle));
  }
  drawChips(document.getElementById('chips-filter'), state.filter === state.color ? '' : state.filter, true, redraw);
}

function drawKey() {
  const parts = ['○ start of a run', '● its last checkpoint'];
  if (data.total > data.fitted) parts.push('◆ dashed: placed on the map afterwards');
  if (data.references) parts.push('named points: references, placed on the finished map');
  if (state.z !== 0) parts.push('drag to turn, scroll to zoom');
  document.getElementById('key').textContent = parts.join(' · ');
}
