// The filmstrip: scrub, range, keyframes; and the loop of the range.

import { $, ask, fillIn, later, message, picture, show, tab, tell } from "./api.js";
import { edit, goTo, model, onChange, path } from "./model.js";

const strip = $("strip");
const count = () => Math.max(model.shot.last - model.shot.first, 1);
const share = (frame) => (frame - model.shot.first) / count();

function fill() {
  const { first, last, keys = {} } = model.shot;
  $("head").style.left = `${share(model.frame) * 100}%`;
  $("range").style.left = `${share(model.range.first) * 100}%`;
  $("range").style.width = `${(share(model.range.last) - share(model.range.first)) * 100}%`;
  $("number").min = first;
  $("number").max = last;
  fillIn($("number"), model.frame);
  strip.setAttribute("aria-valuemin", first);
  strip.setAttribute("aria-valuemax", last);
  strip.setAttribute("aria-valuenow", model.frame);
  const frames = new Set(Object.values(keys).flat().map(([frame]) => frame));
  $("keys").replaceChildren(...[...frames].filter((f) => f >= first && f <= last).map((frame) => {
    const mark = document.createElement("i");
    mark.style.left = `${share(frame) * 100}%`;
    mark.tabIndex = 0;
    mark.setAttribute("role", "slider");
    mark.setAttribute("aria-label", "keyframes of a frame");
    mark.setAttribute("aria-valuenow", frame);
    mark.title = `keyframes of ${frame}: drag them, or arrow keys`;
    mark.addEventListener("pointerdown", (event) => dragKeys(event, mark, frame));
    mark.addEventListener("keydown", (event) => {
      const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (!by) return;
      event.stopPropagation();
      event.preventDefault();
      moveKeys(frame, frame + by * (event.shiftKey ? 10 : 1), true);
    });
    return mark;
  }));
}

const within = (frame) => Math.min(Math.max(Math.round(frame), model.shot.first), model.shot.last);
function dragKeys(event, mark, from) {
  event.stopPropagation();
  const box = strip.getBoundingClientRect();
  let to = from;
  mark.setPointerCapture(event.pointerId);
  mark.onpointermove = (moved) => {
    to = within(model.shot.first + count() * (moved.clientX - box.left) / box.width);
    mark.style.left = `${share(to) * 100}%`;
    $("note").textContent = `keyframes of ${from} to ${to}`;
  };
  mark.onpointerup = () => {
    mark.onpointermove = mark.onpointerup = null;
    $("note").textContent = "";
    if (to === from) goTo(from);
    else moveKeys(from, to);
  };
}
async function moveKeys(from, to, focus = false) {
  to = within(to);
  if (to === from) return;
  await edit({ do: "move-keys", from, to });
  goTo(to);
  if (focus) $("keys").querySelector(`[aria-valuenow="${to}"]`)?.focus();
}

const drawThumbs = later(async () => {
  const { width, height } = strip.getBoundingClientRect();
  const [w, h] = model.shot.size, shot = model.number;
  const many = Math.min(Math.max(Math.floor(width / (height * w / h)), 1), 40, count() + 1);
  const images = Array.from({ length: many }, () => { const one = new Image(); one.alt = ""; return one; });
  $("thumbs").replaceChildren(...images);
  for (const [place, image] of images.entries()) {
    if (shot !== model.number || !image.isConnected) return;
    const frame = Math.round(model.shot.first + count() * (place + 0.5) / many);
    const asked = { number: Math.min(frame, model.shot.last), height: 90, lane: `${tab} strip ${place}` };
    try { await show(image, await picture(path("/plate"), asked)); } catch (error) { message(error.message); return; }
  }
}, 300);

function scrub(event) {
  const box = strip.getBoundingClientRect();
  goTo(model.shot.first + count() * (event.clientX - box.left) / box.width);
}
strip.addEventListener("pointerdown", (event) => {
  strip.setPointerCapture(event.pointerId);
  strip.onpointermove = scrub;
  scrub(event);
});
strip.addEventListener("pointerup", () => { strip.onpointermove = null; });
$("number").onchange = () => {
  const asked = Number($("number").value);
  if (asked < model.shot.first || asked > model.shot.last)
    message(`there is no frame ${asked}: it has ${model.shot.first} to ${model.shot.last}`);
  goTo(asked);
  fill();
};

export function mark(end) {
  model.range = { ...model.range, [end]: model.frame };
  if (model.range.first > model.range.last) model.range = { first: model.frame, last: model.frame };
  stop();
  fill();
}

// the keyframe before or after this frame
export function toKey(by) {
  const frames = Object.values(model.shot.keys ?? {}).flat().map(([frame]) => frame)
    .filter((frame) => (frame - model.frame) * by > 0).sort((one, other) => (one - other) * by);
  if (frames.length) goTo(frames[0]);
}

const video = $("loop");
let waiting = false;
export async function play() {
  if (!video.hidden || waiting) { stop(); return; }
  waiting = true;
  try {
    let told = await tell(path("/loop"), model.range);
    while (waiting && told.state === "running") {
      const { frames, total } = told.told;
      $("note").textContent = `rendering the range${total ? `: ${frames ?? 0} of ${total} frames` : "…"}`;
      await new Promise((go) => setTimeout(go, 400));
      told = (await ask(`/api/work?shot=${model.number}`)).loop;
    }
    if (!waiting) return;
    if (told.state !== "ready") throw new Error(told.error || "the range was not rendered");
    video.src = `${path("/loop.mp4")}?${Date.now()}`;
    video.hidden = false;
    $("play").textContent = "■";
    await video.play();
  } catch (error) { message(error.message); stop(); }
  finally { waiting = false; $("note").textContent = ""; }
}
export function stop() {
  waiting = false;
  video.pause();
  video.hidden = true;
  $("play").textContent = "▶";
}
$("play").onclick = play;
$("mark-in").onclick = () => mark("first");
$("mark-out").onclick = () => mark("last");

onChange((what) => {
  if (what === "over") return;
  fill();
  if (what === "shot") drawThumbs();
  if (what === "said" || what === "shot") stop();
});
let width = 0;
new ResizeObserver(() => {
  if (!model.shot || Math.abs(strip.clientWidth - width) < 40) return;
  width = strip.clientWidth;
  drawThumbs();
}).observe(strip);
