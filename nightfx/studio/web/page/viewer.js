// The frame: plate and render with a wipe, zoom and pan.

import { $, latest, later, message, picture, pressed, show, tab } from "./api.js";
import { model, onChange, path } from "./model.js";

const view = { mode: "wipe", wipe: 0.5, scale: 1, x: 0, y: 0, fit: true, back: "wipe" };
const viewport = $("viewport"), stage = $("stage");
const heard = [];
export const onView = (work) => heard.push(work);
export const scale = () => view.scale;
export const mode = () => view.mode;

export const stageSize = () => {
  const [width, height] = model.shot.size;
  return { width, height };
};

function place() {
  const { width, height } = stageSize();
  const box = viewport.getBoundingClientRect();
  if (view.fit) {
    view.scale = Math.min(box.width / width, box.height / height);
    view.x = (box.width - width * view.scale) / 2;
    view.y = (box.height - height * view.scale) / 2;
  }
  stage.style.width = `${width}px`;
  stage.style.height = `${height}px`;
  stage.style.transform = `translate(${view.x}px, ${view.y}px) scale(${view.scale})`;
  stage.style.setProperty("--thin", 1 / view.scale);
  $("zoom").textContent = view.fit ? "Fit" : `${Math.round(view.scale * 100 * devicePixelRatio)} %`;
  const share = { plate: 1, render: 0, wipe: view.wipe }[view.mode];
  $("lit").style.clipPath = `inset(0 0 0 ${share * 100}%)`;
  $("wipe").hidden = view.mode !== "wipe";
  $("wipe").style.left = `${view.wipe * 100}%`;
  $("wipe").setAttribute("aria-valuenow", Math.round(view.wipe * 100));
  for (const name of ["plate", "wipe", "render"]) pressed($(`view-${name}`), view.mode === name);
  heard.forEach((work) => work());
}

export function setMode(name) {
  view.mode = name;
  place();
  drawScopes();
}
export const flip = () => setMode(view.mode === "render" ? "plate" : "render");

export function zoom() {
  const box = viewport.getBoundingClientRect();
  if (!view.fit) view.fit = true;
  else zoomTo(1 / devicePixelRatio, box.width / 2, box.height / 2);
  place();
  drawFull();
}

function zoomTo(next, x, y) {
  next = Math.min(Math.max(next, 0.05), 16);
  view.x = x - (x - view.x) * next / view.scale;
  view.y = y - (y - view.y) * next / view.scale;
  view.scale = next;
  view.fit = false;
}

// the height at which a picture is asked for while something changes
const previewHeight = () => {
  const { height } = stageSize();
  const seen = Math.ceil(Math.min(height, height * view.scale * devicePixelRatio) / 90) * 90;
  return Math.min(Math.max(seen, 360), 1080);
};
const isWhole = () => previewHeight() >= stageSize().height;

const query = (lane, height) => ({
  number: model.frame, height, lane: `${tab} ${lane}`, over: JSON.stringify(model.over),
});

export const drawPlate = latest(async () => {
  await show($("plate"), await picture(path("/plate"), query("plate", previewHeight())));
});

let drawn = 0;
export const drawRender = latest(async () => {
  const waiting = setTimeout(() => { $("busy").hidden = false; }, 250);
  const began = performance.now();
  try {
    const url = await picture(path("/render"), query("main", previewHeight()));
    await show($("lit"), url);
    drawn += 1;
    document.body.dataset.drawn = drawn;
    document.body.dataset.milliseconds = Math.round(performance.now() - began);
  } finally { clearTimeout(waiting); $("busy").hidden = true; }
  drawFull();
  drawScopes();
  if (!$("sky").hidden) drawSky();
});

// full quality follows when nothing changes any more
const drawFull = later(latest(async () => {
  if (isWhole()) return;
  const asked = JSON.stringify([model.number, model.frame, model.over, model.shot.revision]);
  const both = await Promise.all([
    picture(path("/plate"), query("full plate")), picture(path("/render"), query("full")),
  ]);
  if (asked !== JSON.stringify([model.number, model.frame, model.over, model.shot.revision])) return;
  await show($("plate"), both[0]);
  await show($("lit"), both[1]);
}), 500);

export const drawScopes = later(latest(async () => {
  if ($("scopes").hidden) return;
  const of = view.mode === "plate" ? "plate" : "render";
  const asked = { ...query("scopes", previewHeight()), of };
  await show($("scope"), await picture(path("/scopes"), asked));
}), 60);

export const drawSky = latest(async () => {
  try { await show($("sky"), await picture(path("/sky"), query("sky", previewHeight()))); }
  catch (error) { toggleSky(); message(error.message); }
});
export function toggleSky() {
  $("sky").hidden = !$("sky").hidden;
  pressed($("show-sky"), !$("sky").hidden);
  if (!$("sky").hidden) drawSky();
}

function dragWipe(event) {
  const box = stage.getBoundingClientRect();
  view.wipe = Math.min(Math.max((event.clientX - box.left) / box.width, 0), 1);
  place();
}
$("wipe").addEventListener("pointerdown", (event) => {
  event.stopPropagation();
  $("wipe").setPointerCapture(event.pointerId);
  $("wipe").onpointermove = dragWipe;
});
$("wipe").addEventListener("pointerup", () => { $("wipe").onpointermove = null; });
$("wipe").addEventListener("keydown", (event) => {
  const by = { ArrowLeft: -0.02, ArrowRight: 0.02 }[event.key];
  if (!by) return;
  event.stopPropagation();
  event.preventDefault();
  view.wipe = Math.min(Math.max(view.wipe + by, 0), 1);
  place();
});

viewport.addEventListener("wheel", (event) => {
  event.preventDefault();
  const box = viewport.getBoundingClientRect();
  zoomTo(view.scale * 1.0015 ** -event.deltaY, event.clientX - box.left, event.clientY - box.top);
  place();
  drawFull();
}, { passive: false });
viewport.addEventListener("pointerdown", (event) => {
  if (viewport.classList.contains("adding") || event.button > 1) return;
  const from = { x: event.clientX - view.x, y: event.clientY - view.y };
  viewport.setPointerCapture(event.pointerId);
  viewport.onpointermove = (moved) => {
    if (view.fit) return;
    viewport.classList.add("panning");
    view.x = moved.clientX - from.x;
    view.y = moved.clientY - from.y;
    place();
  };
});
viewport.addEventListener("pointerup", () => {
  viewport.onpointermove = null;
  viewport.classList.remove("panning");
});
viewport.addEventListener("dblclick", zoom);
new ResizeObserver(() => { if (model.shot) place(); }).observe(viewport);

$("view-plate").onclick = () => setMode("plate");
$("view-wipe").onclick = () => setMode("wipe");
$("view-render").onclick = () => setMode("render");
$("zoom").onclick = zoom;
$("show-sky").onclick = toggleSky;
$("show-scopes").onclick = () => toggleScopes();
export function toggleScopes() {
  $("scopes").hidden = !$("scopes").hidden;
  pressed($("show-scopes"), !$("scopes").hidden);
  drawScopes();
}

onChange((what) => {
  if (what === "shot") place();
  if (what === "shot" || what === "frame") drawPlate();
  if (what !== "values") drawRender();
});
