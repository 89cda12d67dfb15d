// The page begins here: what there is, the shot that was open, and the keys.

import { $, ask, message } from "./api.js";
import { goTo, model, onChange, openShot, step, takeUp } from "./model.js";
import * as viewer from "./viewer.js";
import * as lights from "./lights.js";
import * as sky from "./sky.js";
import { buildLook } from "./look.js";
import { mark, play, stop, toKey } from "./strip.js";
import { buildShots, render } from "./shots.js";

onChange(() => {
  const { shot, frame } = model, [width, height] = shot.size;
  document.title = `${shot.key} · nightfx studio`;
  $("shot-name").textContent = shot.key;
  $("facts").textContent = [`${width}×${height}`, shot.fps && `${Number(shot.fps.toFixed(3))} fps`, `frame ${frame}`]
    .filter(Boolean).join(" · ");
  $("undo").disabled = !shot.can.undo;
  $("redo").disabled = !shot.can.redo;
});
onChange((what) => { if (what === "lights") viewer.drawRender(); });

// what another tab, or somebody in the files, changed meanwhile
window.addEventListener("focus", () => { if (model.shot) takeUp().catch((error) => message(error.message)); });

$("undo").onclick = () => step(-1);
$("redo").onclick = () => step(1);
$("help-button").onclick = () => $("help").showModal();

const shifted = (event) => (event.shiftKey ? 10 : 1);
const keys = {
  ArrowLeft: (event) => goTo(model.frame - shifted(event)),
  ArrowRight: (event) => goTo(model.frame + shifted(event)),
  Home: () => goTo(model.shot.first),
  End: () => goTo(model.shot.last),
  " ": play,
  a: viewer.flip,
  w: () => viewer.setMode("wipe"),
  z: viewer.zoom,
  l: lights.toggleLights,
  s: viewer.toggleSky,
  c: viewer.toggleScopes,
  n: () => { if (!sky.isDrawing()) lights.toggleAdding(); },
  i: () => mark("first"),
  o: () => mark("last"),
  ",": () => lights.next(-1),
  ".": () => lights.next(1),
  "[": () => toKey(-1),
  "]": () => toKey(1),
  "?": () => $("help").showModal(),
  Delete: lights.remove,
  p: () => sky.toggleDrawing(),
  Enter: () => { if (sky.isDrawing()) sky.close(); },
  Escape: () => { lights.toggleAdding(false); sky.leave(); stop(); },
};

function withControl(event) {
  const work = { z: () => step(event.shiftKey ? 1 : -1), y: () => step(1), enter: () => render() }[event.key.toLowerCase()];
  if (!work) return;
  event.preventDefault();
  work();
}

// what an element does with a key by itself
const moves = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End", " "];
const typed = ({ tagName, type }, key) => tagName === "SELECT"
  || (tagName === "INPUT" && (type === "number" || (type === "range" && moves.includes(key))));
const acts = (target, key) => key === " " && ["BUTTON", "SUMMARY", "A", "INPUT"].includes(target.tagName);

document.addEventListener("keydown", (event) => {
  if ($("help").open) return;
  if (event.ctrlKey || event.metaKey) {
    // a number that is being typed has an undo of its own
    if (!(event.target.type === "number" && event.key.toLowerCase() === "z")) withControl(event);
    return;
  }
  if (lights.hasFocus()) {
    const by = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (event.altKey && by) { event.preventDefault(); lights.nudge(...by.map((px) => px * shifted(event))); return; }
    if (event.key === "Enter" || event.key === " ") { event.preventDefault(); lights.flipLight(); return; }
  }
  if (typed(event.target, event.key) || acts(event.target, event.key) || event.altKey) return;
  if (event.key === "Enter" && !sky.isDrawing()) return;  // a button's own
  const work = keys[event.key] ?? keys[event.key.toLowerCase()];
  if (!work) return;
  event.preventDefault();
  work(event);
});

try {
  model.studio = await ask("/api/studio");
  buildLook();
  const place = new URLSearchParams(location.hash.slice(1));
  const number = Number(place.get("shot") ?? 0);
  await openShot(number < model.studio.shots.length ? number : 0, Number(place.get("frame") ?? 0));
  buildShots();
} catch (error) { message(error.message); }
