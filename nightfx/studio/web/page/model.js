// What the page knows: the studio, the shot, the frame; and changes of the shot, which the studio keeps.

import { $, ask, later, message, tell } from "./api.js";

export const model = {
  studio: null, number: 0, shot: null, frame: 0, over: {}, range: null, heard: [],
};

export const path = (rest = "") => `/api/shots/${model.number}${rest}`;
export const onChange = (heard) => model.heard.push(heard);
const tellAll = (what) => model.heard.forEach((heard) => heard(what));

function remember() {
  history.replaceState(null, "", `#shot=${model.number}&frame=${model.frame}`);
}

export async function openShot(number, frame) {
  const shot = await ask(`/api/shots/${number}?number=${frame ?? -1}`);  // one that cannot be read is not opened
  Object.assign(model, { number, shot, over: {} });
  const { first, last } = model.shot;
  model.frame = frame >= first && frame <= last ? frame : Math.round((first + last) / 2);
  model.range = { first, last: Math.min(last, first + 999) };
  await refresh();
  remember();
  tellAll("shot");
}

export async function refresh() {
  model.shot = await ask(`${path()}?number=${model.frame}`);
  if (model.shot.error) message(model.shot.error);
}

export async function takeUp() {
  const before = model.shot.revision;
  await refresh();
  if (model.shot.revision !== before) tellAll("said");
}

const settle = later(async () => { await refresh(); tellAll("values"); }, 120);

export function goTo(frame) {
  const { first, last } = model.shot;
  frame = Math.min(Math.max(Math.round(frame), first), last);
  if (frame === model.frame || Number.isNaN(frame)) return;
  model.frame = frame;
  remember();
  tellAll("frame");
  settle();
}

// Something is tried while it is dragged; `edit` keeps it.
export function attempt(key, value) {
  model.over = { ...model.over, [key]: value };
  tellAll("over");
}

export const edit = (change) => commit(() =>
  tell(`${path("/edit")}?number=${model.frame}`, { revision: model.shot.revision, edit: change }));
export const step = (by) => commit(() => tell(`${path("/step")}?number=${model.frame}`, { step: by }));

let turn = Promise.resolve();
function commit(work) {
  turn = turn.then(async () => {
    $("saved").textContent = "saving…";
    try {
      model.shot = await work();
      $("saved").textContent = "saved";
      if (model.shot.error) message(model.shot.error);
    } catch (error) {
      $("saved").textContent = "not saved";
      message(error.message);
      await refresh().catch(() => {});
    }
    model.over = {};
    tellAll("said");
  });
  return turn;
}
