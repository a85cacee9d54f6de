"use strict";

const $ = (id) => document.getElementById(id);
const data = JSON.parse($("data").textContent);
const orders = {
  right: [...data.forward, ...data.backward],
  wrong: [...data.forward, ...data.wrong],
};
const still = matchMedia("(prefers-reduced-motion: reduce)");
let order = "right", index = 0, state, looking = null, timer = null, journey = 0;

// --- the picture ------------------------------------------------------------

const isClosed = () => document.body.dataset.view === "closed";
const cardOf = (key) => $(isClosed() ? data.closed.cards[key] : key);
const placeOf = (key) => $(isClosed() ? data.closed.places[key] : key);
const arrowOf = (key) => $(isClosed() ? data.closed.arrows[key] : key);

function setView(view) {
  document.body.dataset.view = view;
  $("modules").textContent = isClosed() ? "Open modules" : "Close modules";
}

function turn(view) {
  setView(view);
  show(index);
}

// What has come about by the step: each step says only what it changes.
function stateAt(last) {
  const state = {known: new Set(), complete: new Set(), grads: {}};
  for (const step of orders[order].slice(0, last + 1)) {
    step.known?.forEach((key) => state.known.add(key));
    step.complete?.forEach((key) => state.complete.add(key));
    Object.assign(state.grads, step.grads);
  }
  return state;
}

function draw(step) {
  for (const key of Object.keys(data.units)) {
    const card = cardOf(key);
    if (!card) continue;
    const lines = state.grads[key];
    card.classList.toggle("known", state.known.has(key));
    card.classList.toggle("graded", lines !== undefined);
    card.classList.toggle("complete", state.complete.has(key));
    const texts = [...card.querySelectorAll('text[fill="#9a3412"]')].slice(1);  // under the title
    texts.forEach((text, i) => { if (lines) text.textContent = lines[i]; });
  }
  for (const name of ["active", "fault", "busy"]) {
    document.querySelectorAll(`.${name}`).forEach((x) => x.classList.remove(name));
  }
  const active = [step.node, step.to].filter(Boolean).map(placeOf).filter(Boolean);
  active.forEach((card) => card.classList.add("active"));
  step.wrong?.forEach((key) => placeOf(key)?.classList.add("fault"));
  const arrows = (step.arrows ?? []).map(arrowOf).filter(Boolean);
  arrows.forEach((arrow) => arrow.classList.add("busy"));
  const given = step.kind === "start" ? (step.known ?? []).slice(0, 1).map(placeOf) : [];
  bringIntoView([...active, ...given]);
  return arrows;
}

function bringIntoView(cards) {
  if (!cards.length) return;
  const frame = $("graph").getBoundingClientRect();
  const boxes = cards.map((card) => card.getBoundingClientRect());
  const left = Math.min(...boxes.map((box) => box.left));
  const right = Math.max(...boxes.map((box) => box.right));
  const top = Math.min(...boxes.map((box) => box.top));
  const bottom = Math.max(...boxes.map((box) => box.bottom));
  if (left >= frame.left && right <= frame.right && top >= frame.top && bottom <= frame.bottom) {
    return;
  }
  $("graph").scrollBy({
    left: (left + right - frame.left - frame.right) / 2,
    top: (top + bottom - frame.top - frame.bottom) / 2,
    behavior: still.matches ? "auto" : "smooth",
  });
}

// A parcel travels along each arrow: values with it, shares of the gradient against it.
function travel(arrows, step) {
  const trip = ++journey, back = step.kind !== "forward", start = performance.now();
  document.querySelectorAll(".parcel").forEach((parcel) => parcel.remove());
  if (still.matches || !["forward", "share"].includes(step.kind)) return;
  const label = back && step.result?.length < 30 ? step.result : "●";
  const parcels = arrows.map((arrow) => {
    const parcel = inSvg("text", "parcel", {"text-anchor": "middle"});
    parcel.textContent = label;
    arrow.append(parcel);
    return [parcel, arrow.querySelector("path")];
  });
  const move = (now) => {
    const part = (now - start) / (900 / speed());
    if (trip !== journey || part > 1) {
      parcels.forEach(([parcel]) => parcel.remove());
      return;
    }
    for (const [parcel, path] of parcels) {
      const at = path.getPointAtLength(path.getTotalLength() * Math.abs(back - Math.max(part, 0)));
      parcel.setAttribute("x", at.x);
      parcel.setAttribute("y", at.y + 4);
    }
    requestAnimationFrame(move);
  };
  requestAnimationFrame(move);
}

// --- the words --------------------------------------------------------------

function element(name, text, className = "") {
  const made = document.createElement(name);
  made.textContent = text;
  made.className = className;
  return made;
}

function heatMap(array) {
  const canvas = document.createElement("canvas");
  const [height, width] = [array.map.length, array.map[0].length];
  Object.assign(canvas, {width, height});
  Object.assign(canvas.style, {width: `${width * 0.8}rem`, height: `${height * 0.8}rem`});
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", `heat map of ${array.of} entries, ${array.extent}`);
  const context = canvas.getContext("2d"), style = getComputedStyle(document.body);
  const colour = (sign) => style.getPropertyValue(sign < 0 ? "--negative" : "--positive");
  array.map.forEach((row, y) => [...row].forEach((letter, x) => {
    const shade = letter === " " ? 0 : (letter.charCodeAt(0) - "m".charCodeAt(0)) / 12;
    context.fillStyle = `rgba(${colour(shade)}, ${Math.abs(shade)})`;
    context.fillRect(x, y, 1, 1);
  }));
  return canvas;
}

function describeArray(array, className = "") {
  return [element("pre", array.text, className), ...(array.map ? describeMap(array) : [])];
}

function describeMap(array) {
  const shown = `${array.map.length} by ${array.map[0].length}`;
  const which = shown === array.of ? "" : `${shown} entries, evenly spread; `;
  const note = `${array.of}, ${array.extent}. The map: ${which}blue is negative, orange positive.`;
  return [heatMap(array), element("div", note, "note")];
}

function write(step) {
  const parts = [], unit = data.units[step.node];
  if (step.rule) {
    const title = step.to ? `Rule of ${unit?.made ?? ""} for ${data.units[step.to].name}` : "Computed";
    const lines = [step.rule, step.names, step.numbers, step.result];
    const different = lines.filter((line, i) => line && line !== lines[i - 1]);
    parts.push(element("h2", title), element("pre", different.join("\n= ")));
    const large = step.to ? step.share : unit.values;
    if (large?.map) parts.push(...describeMap(large));
  }
  if (step.copies) {
    const sum = step.kind === "fold";
    parts.push(element("h2", sum ? "The copies are summed" : "The share is spread"));
    const copies = element("div", "", "copies");
    step.copies.forEach((copy, i) => copies.append(element("pre", (i && sum ? "+ " : "  ") + copy)));
    copies.append(element("pre", (sum ? "= " : "→ ") + step.total));
    parts.push(copies);
  }
  if (step.sum) parts.push(element("h2", "Added up"), element("pre", step.sum, "grad"));
  $("sum").replaceChildren(...parts);
  const place = isClosed() && data.closed.places[step.node];
  const inside = place !== data.closed?.cards[step.node] && data.closed?.boxes[place];
  $("sentence").textContent = (inside ? `In ${inside}: ` : "") + step.text;
}

function look(key) {
  looking = key;
  const unit = data.units[key], parts = [];
  if (!unit) {
    $("details").replaceChildren(element("p", "Point at a tensor to see what it holds."));
    return;
  }
  parts.push(element("h2", unit.name), element("div", unit.facts));
  if (unit.made) parts.push(element("pre", unit.made));
  if (unit.line) parts.push(element("h2", "Made by"), element("pre", unit.line));
  if (state.known.has(key)) parts.push(element("h2", "Values"), ...describeArray(unit.values));
  if (state.grads[key]) {
    const complete = state.complete.has(key) && order === "right";
    const grad = complete ? unit.grad : {text: state.grads[key].join("\n")};
    const title = complete ? "Gradient" : unit.values.map ? "Gradient so far: least, mean, most"
      : "Gradient so far";
    parts.push(element("h2", title), ...describeArray(grad, "grad"));
  }
  $("details").replaceChildren(...parts);
}

// --- the steps --------------------------------------------------------------

const speed = () => Number($("speed").value);

function show(to, {moving = false} = {}) {
  const steps = orders[order];
  index = Math.min(Math.max(to, 0), steps.length - 1);
  state = stateAt(index);
  const arrows = draw(steps[index]);
  write(steps[index]);
  look(looking);
  if (moving) travel(arrows, steps[index]);
  Object.assign($("slider"), {max: steps.length, value: index + 1});
  $("slider").setAttribute("aria-valuetext", `Step ${index + 1} of ${steps.length}`);
  $("link").textContent = `Step ${index + 1} of ${steps.length}`;
  $("link").href = `#step=${index + 1}${order === "wrong" ? "&order=wrong" : ""}`;
  $("back").disabled = index === 0;
  $("forth").disabled = index === steps.length - 1;
}

function go(to) {
  pause();
  show(to, {moving: to > index});
  remember();
}

// In a notebook's frame there is no address to keep.
function remember() {
  if (location.protocol !== "about:") history.replaceState(null, "", $("link").href);
}

function play() {
  $("play").textContent = "Pause";
  if (index === orders[order].length - 1) show(0);
  const next = () => {
    if (index === orders[order].length - 1) return pause();
    show(index + 1, {moving: true});
    timer = setTimeout(next, 2400 / speed());
  };
  timer = setTimeout(next, 300);
}

function pause() {
  if (timer) remember();
  clearTimeout(timer);
  timer = null;
  $("play").textContent = "Play";
}

function setOrder(wanted) {
  order = wanted === "wrong" && data.wrong.length ? "wrong" : "right";
  $("wrong").setAttribute("aria-pressed", order === "wrong");
}

function readAddress() {
  const asked = new URLSearchParams(location.hash.slice(1));
  setOrder(asked.get("order"));
  pause();
  show((parseInt(asked.get("step"), 10) || 1) - 1);
}

const keys = {
  ArrowLeft: () => go(index - 1),
  ArrowRight: () => go(index + 1),
  Home: () => go(0),
  End: () => go(orders[order].length - 1),
  " ": () => (timer ? pause() : play()),
};

document.addEventListener("keydown", (event) => {
  const own = event.target.matches("select") || (event.key === " " && event.target.matches("button, a"));
  if (!(event.key in keys) || own || event.ctrlKey || event.altKey || event.metaKey) return;
  event.preventDefault();
  keys[event.key]();
});
$("back").onclick = keys.ArrowLeft;
$("forth").onclick = keys.ArrowRight;
$("play").onclick = keys[" "];
$("slider").oninput = () => go($("slider").value - 1);
$("modules").onclick = () => turn(isClosed() ? "opened" : "closed");
$("whole").onclick = () => {
  const whole = $("graph").classList.toggle("whole");
  $("whole").setAttribute("aria-pressed", whole);
};
$("wrong").onclick = () => {
  setOrder(order === "wrong" ? "right" : "wrong");
  go(order === "wrong" ? data.forward.length : index);
};
window.onhashchange = readAddress;

// --- the start --------------------------------------------------------------

function inSvg(name, className, attributes) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  made.classList.add(className);
  Object.entries(attributes).forEach(([key, value]) => made.setAttribute(key, value));
  return made;
}

function prepare(card, key, box) {
  const unit = data.units[key];
  const check = inSvg("text", "check", {x: box.x + box.width - 16, y: box.y + box.height - 6});
  check.textContent = "✓";
  card.append(check, inSvg("rect", "ring", {
    x: box.x - 3, y: box.y - 3, width: box.width + 6, height: box.height + 6,
  }));
  const title = isClosed() && data.closed.boxes[card.id];
  card.setAttribute("tabindex", 0);
  card.setAttribute("role", title ? "button" : "img");
  card.setAttribute("aria-label", title ? `open ${title}` : `${unit.name}, ${unit.facts}`);
  card.onfocus = card.onmouseenter = () => look(key);
  card.onclick = () => { if (title) turn("opened"); else look(key); };
  card.addEventListener("keydown", (event) => { if (event.key === "Enter") card.onclick(); });
}

document.body.classList.add("live");
$("name").textContent = `: ${data.name}`;
for (const view of data.closed ? ["opened", "closed"] : ["opened"]) {
  document.body.dataset.view = view;  // what is hidden has no size
  const cards = Object.keys(data.units).map((key) => [cardOf(key), key]).filter(([card]) => card);
  const sized = cards.map(([card, key]) => [card, key, card.getBBox()]);  // before any is changed
  sized.forEach((card) => prepare(...card));
}
document.querySelectorAll(".cluster").forEach((cluster) => {
  if (data.closed) cluster.onclick = () => turn("closed");
});
$("modules").hidden = !data.closed;
$("wrong").disabled = !data.wrong.length;
$("wrong").title = data.wrong.length
  ? "What happens if a value hands its gradient on before it is complete"
  : "No order is wrong here: no computed value is used by two operations";
setView(data.closed && !data.expand ? "closed" : "opened");
readAddress();
