// The lights as handles on the picture: click switches, dragging moves.

import { $, ask, fillIn, latest, later, pressed } from "./api.js";
import { edit, model, onChange, path } from "./model.js";
import { scale, stageSize } from "./viewer.js";

const svg = $("lights"), viewport = $("viewport");
let told = { ready: false, lights: [] }, picked = null, adding = false, expected = null;

const one = () => told.lights.find((light) => light.id === picked);

const load = latest(async () => {
  const over = encodeURIComponent(JSON.stringify(model.over));
  told = await ask(`${path("/lights")}?number=${model.frame}&over=${over}`);
  const added = expected && told.lights.find((light) => !expected.has(light.id));
  if (added) { picked = added.id; expected = null; }
  draw();
});

function draw() {
  const [width, height] = told.size ?? [1, 1];
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.setAttribute("preserveAspectRatio", "none");
  svg.replaceChildren(...told.lights.map(handle));
  const on = told.lights.filter((light) => light.on).length;
  const { search } = model.shot;
  $("light-count").textContent = told.ready ? `${told.lights.length} here, ${on} on`
    : search.error || (search.total ? `looked for: ${search.done} of ${search.total} frames` : "are looked for");
  if (told.kinds && !$("new-kind").children.length)
    $("new-kind").append(...["lamp", ...told.kinds.filter((k) => k !== "lamp")].map((k) => new Option(k, k)));
  const unused = model.shot.beside && !("lights" in model.shot.said);
  $("use-list").hidden = !unused;
  $("use-list").textContent = `Use ${model.shot.beside}`;
  inspect();
}

function handle(light) {
  const shape = document.createElementNS("http://www.w3.org/2000/svg", "polygon");
  shape.setAttribute("points", light.quad.map((corner) => corner.join(",")).join(" "));
  shape.classList.toggle("on", light.on);
  shape.classList.toggle("picked", light.id === picked);
  shape.dataset.id = light.id;
  shape.setAttribute("role", "switch");
  shape.setAttribute("aria-checked", String(light.on));
  shape.setAttribute("aria-label", `${light.kind} ${light.id}`);
  shape.tabIndex = light.id === (one() ? picked : told.lights[0].id) ? 0 : -1;
  shape.addEventListener("pointerdown", (event) => drag(event, light, shape));
  shape.addEventListener("focus", () => { if (picked !== light.id) pick(light.id, false); });
  return shape;
}

const perPixel = () => told.size[0] / (stageSize().width * scale());

function drag(event, light, shape) {
  if (viewport.classList.contains("adding") || event.button) return;
  event.stopPropagation();
  const from = [event.clientX, event.clientY];
  let by = [0, 0];
  shape.setPointerCapture(event.pointerId);
  shape.onpointermove = (moved) => {
    by = [moved.clientX - from[0], moved.clientY - from[1]].map((px) => px * perPixel());
    shape.setAttribute("transform", `translate(${by[0]} ${by[1]})`);
  };
  shape.onpointerup = () => {
    shape.onpointermove = shape.onpointerup = null;
    const isClick = Math.hypot(...by) < 3 * perPixel();
    picked = light.id;
    if (isClick) { edit({ do: "light", id: light.id, said: { on: !light.on } }); }
    else edit({ do: "move", id: light.id, by });
  };
}

function pick(id, focus = true) {
  picked = id;
  for (const shape of svg.children) {
    const is = Number(shape.dataset.id) === id;
    shape.classList.toggle("picked", is);
    shape.tabIndex = is ? 0 : -1;
    if (is && focus) shape.focus();
  }
  inspect();
}

export function next(by) {
  if (!told.lights.length) return;
  const at = told.lights.findIndex((light) => light.id === picked);
  pick(told.lights[(at + by + told.lights.length) % told.lights.length].id);
}

function inspect() {
  const light = one();
  $("light-one").hidden = !light;
  if (!light) return;
  $("light-name").textContent = `${light.kind} ${light.id}`;
  $("light-on").setAttribute("aria-checked", String(light.on));
  $("light-on").textContent = light.on ? "on" : "off";
  pressed($("light-auto"), light.said === null);
  fillIn($("light-stops"), light.stops);
  fillIn($("light-kelvin"), light.kelvin ?? "");
  fillIn($("light-parent"), light.parent ?? "");
}

const say = (said) => { if (one()) edit({ do: "light", id: picked, said }); };
const value = (id) => ($(id).value === "" ? null : Number($(id).value));
$("light-on").onclick = () => say({ on: !one().on });
$("light-auto").onclick = () => say({ on: null });
$("light-delete").onclick = () => remove();
$("light-stops").onchange = () => say({ stops: value("light-stops") ?? 0 });
$("light-kelvin").onchange = () => say({ kelvin: value("light-kelvin") });
$("light-parent").onchange = () => say({ parent: value("light-parent") });
$("use-list").onclick = () => edit({ do: "use-list" });

export function remove() {
  if (!one()) return;
  edit({ do: "delete", id: picked });
  picked = null;
}
export const nudge = (x, y) => { if (one()) edit({ do: "move", id: picked, by: [x, y] }); };
export const flipLight = () => { if (one()) say({ on: !one().on }); };
export const hasFocus = () => document.activeElement?.parentNode === svg;

export function toggleAdding(is = !adding) {
  adding = is;
  viewport.classList.toggle("adding", adding);
  pressed($("add-light"), adding);
  $("note").textContent = adding ? "click where the light is; Esc leaves" : "";
}
$("add-light").onclick = () => toggleAdding();
viewport.addEventListener("click", (event) => {
  if (!adding) return;
  const box = $("stage").getBoundingClientRect();
  const at = [(event.clientX - box.left) / box.width * told.size[0], (event.clientY - box.top) / box.height * told.size[1]];
  toggleAdding(false);
  expected = new Set(told.lights.map((light) => light.id));
  edit({ do: "add", kind: $("new-kind").value, frame: model.frame, at });
});

export function toggleLights() {
  const is = svg.style.display !== "none";
  svg.style.display = is ? "none" : "";
  pressed($("show-lights"), !is);
}
$("show-lights").onclick = toggleLights;

// while a shot is looked through, its lights are asked for again
const again = later(async () => {
  try { model.shot.search = (await ask(`${path()}?number=${model.frame}`)).search; } catch { return; }
  draw();
  if (model.shot.search.ready) { await load(); model.heard.forEach((heard) => heard("lights")); }
  else again();
}, 1000);

onChange((what) => {
  if (what === "over" && !Object.keys(model.over).some((key) => ["light_seed", "lit_windows"].includes(key))) return;
  if (what === "lights") return;
  load();
  if (!model.shot.search.ready) again();
});
