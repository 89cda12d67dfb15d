// The sky corrected by polygons: clicks draw one, its corners are dragged, and it is carried along what it lies on.

import { $, fillIn, pressed } from "./api.js";
import { edit, model, onChange } from "./model.js";
import { drawSky, scale, stageSize } from "./viewer.js";

const svg = $("sky-edits"), viewport = $("viewport");
let drawing = null, picked = null, expected = null, dragged = false;

const edits = () => model.shot.sky ?? [];
const one = () => edits()[picked] ?? null;
const make = (name, facts) => {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(facts)) element.setAttribute(key, value);
  return element;
};
const points = (corners) => corners.map((corner) => corner.join(",")).join(" ");

function draw() {
  if (dragged) return;  // what is held in the hand stays there
  const { width, height } = stageSize();
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.setAttribute("preserveAspectRatio", "none");
  const shapes = edits().map((each, index) => each.corners && shape(each, index)).filter(Boolean);
  const corners = one()?.corners?.map((at, index) => handle(at, index)) ?? [];
  const started = drawing?.length ? [make("polyline", { points: points(drawing), class: "drawing" })] : [];
  const had = svg.contains(document.activeElement);
  svg.replaceChildren(...shapes, ...corners, ...started);
  if (had) svg.querySelector(".picked")?.focus();
  inspect();
}

function shape(each, index) {
  const polygon = make("polygon", {
    points: points(each.corners), class: each.sky ? "is-sky" : "no-sky", tabindex: 0,
    role: "button", "aria-label": `polygon ${index + 1}: ${each.sky ? "sky" : "no sky"}`,
  });
  polygon.classList.toggle("picked", index === picked);
  polygon.addEventListener("pointerdown", (event) => {
    if (drawing || event.button) return;
    picked = index;
    for (const other of svg.querySelectorAll("polygon")) other.classList.toggle("picked", other === polygon);
    inspect();
    drag(event, polygon, each.corners, (by) => each.corners.map(([x, y]) => [x + by[0], y + by[1]]));
  });
  polygon.addEventListener("keydown", (event) => {
    if (event.key === "Enter" || event.key === " ") { event.preventDefault(); event.stopPropagation(); pick(index); }
    if (event.key === "Delete") { event.stopPropagation(); pick(index); remove(); }
  });
  return polygon;
}

function handle(at, index) {
  const radius = 5 / scale();
  const dot = make("circle", { cx: at[0], cy: at[1], r: radius, class: "corner" });
  dot.addEventListener("pointerdown", (event) => !drawing && drag(event, dot, one().corners,
    (by) => one().corners.map(([x, y], i) => (i === index ? [x + by[0], y + by[1]] : [x, y]))));
  return dot;
}

// px of the picture on the screen; the stage is as large as the plate and scaled
function drag(event, element, corners, moved) {
  event.stopPropagation();
  const from = [event.clientX, event.clientY];
  let to = null;
  dragged = true;
  element.setPointerCapture(event.pointerId);
  element.onpointermove = (now) => {
    const by = [now.clientX - from[0], now.clientY - from[1]].map((px) => px / scale());
    to = Math.hypot(...by) * scale() < 3 ? null : moved(by);
    svg.querySelector("polygon.picked")?.setAttribute("points", points(to ?? corners));
  };
  element.onpointercancel = () => { dragged = false; draw(); };
  element.onpointerup = () => {
    element.onpointermove = element.onpointerup = element.onpointercancel = null;
    dragged = false;
    if (to) edit({ do: "sky-shape", edit: picked, frame: model.frame, corners: to });
    else draw();
  };
}

function pick(index) {
  picked = picked === index ? picked : index;
  draw();
}

function inspect() {
  const it = one();
  $("sky-count").textContent = edits().length ? `${edits().length} polygon${edits().length > 1 ? "s" : ""}` : "as it is found";
  $("sky-one").hidden = !it;
  if (!it) return;
  $("sky-name").textContent = `polygon ${picked + 1}`;
  pressed($("sky-is"), it.sky);
  pressed($("sky-is-not"), !it.sky);
  const here = it.keys.includes(model.frame) ? "a key is here" : "between keys";
  $("sky-keys").textContent = it.corners ? `${it.keys.length} keys, ${here}` : "not in this frame";
  fillIn($("sky-first"), it.ends[0] ?? "");
  fillIn($("sky-last"), it.ends[1] ?? "");
}

export function toggleDrawing(is = !drawing) {
  drawing = is ? [] : null;
  viewport.classList.toggle("adding", is);
  pressed($("draw-sky"), is);
  $("note").textContent = is ? "click corners; Enter, or the first corner, closes it; Esc leaves" : "";
  draw();
}

export const isDrawing = () => Boolean(drawing);

export function leave() {
  picked = null;
  if (drawing) toggleDrawing(false);
  else draw();
}

export function close() {
  const corners = drawing;
  toggleDrawing(false);
  if (corners.length < 3) return;
  expected = edits().length;
  edit({ do: "sky-add", sky: $("new-sky").value === "sky", frame: model.frame, corners });
}

viewport.addEventListener("click", (event) => {
  if (!drawing) {
    if (picked !== null && !svg.contains(event.target)) leave();
    return;
  }
  const box = $("stage").getBoundingClientRect(), { width, height } = stageSize();
  const at = [(event.clientX - box.left) / box.width * width, (event.clientY - box.top) / box.height * height];
  const near = drawing.length > 2 && Math.hypot(drawing[0][0] - at[0], drawing[0][1] - at[1]) * scale() < 9;
  if (near) close();
  else { drawing.push(at.map((v) => Math.round(v * 10) / 10)); draw(); }
});

export function remove() {
  if (!one()) return;
  edit({ do: "sky-delete", edit: picked });
  picked = null;
}

const say = (said) => { if (one()) edit({ do: "sky-say", edit: picked, said }); };
const end = (id) => ($(id).value === "" ? null : Number($(id).value));
$("draw-sky").onclick = () => toggleDrawing();
$("sky-is").onclick = () => say({ sky: true });
$("sky-is-not").onclick = () => say({ sky: false });
$("sky-first").onchange = () => say({ first: end("sky-first") });
$("sky-last").onchange = () => say({ last: end("sky-last") });
$("sky-delete").onclick = remove;
$("sky-carry").onclick = async () => {
  $("note").textContent = "carried along…";
  await edit({ do: "sky-carry", edit: picked, frame: model.frame });
  $("note").textContent = "";
};

onChange((what) => {
  if (what === "shot") leave();
  if (expected !== null && edits().length > expected) { picked = edits().length - 1; expected = null; }
  if (what === "over" || what === "lights") return;
  draw();
  if (!$("sky").hidden && what === "said") drawSky();
});
