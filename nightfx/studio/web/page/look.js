// The look: sliders made of the model of options, and the strip of presets.

import { $, fillIn, later, message, picture, pressed, show, tab } from "./api.js";
import { attempt, edit, model, onChange, path } from "./model.js";

const sliders = new Map();

export function buildLook() {
  for (const group of model.studio.controls) {
    const box = document.createElement("details");
    box.open = !["Cars", "Signs"].includes(group.name);
    const name = document.createElement("summary");
    name.textContent = group.name;
    box.append(name, ...group.sliders.map(slider));
    $("look").append(box);
  }
  for (const preset of model.studio.presets) {
    const button = document.createElement("button"), image = new Image(), name = document.createElement("span");
    button.title = preset.description;
    button.dataset.preset = preset.name;
    name.textContent = preset.name;
    image.alt = "";
    button.append(image, name);
    button.onclick = () => edit({ do: "to", preset: preset.name });
    $("presets").append(button);
  }
}

function slider(one) {
  const row = document.createElement("div"), id = `look-${one.key}`;
  row.className = "slider";
  row.dataset.key = one.key;
  const label = document.createElement("label"), unit = document.createElement("small");
  label.htmlFor = id;
  label.title = `${one.help} Double click: the preset's own.`;
  unit.textContent = one.unit ? ` ${one.unit}` : "";
  label.append(one.label.replace("kelvin", "colour"), unit);
  const range = input("range", one), number = input("number", one);
  range.id = id;
  number.setAttribute("aria-label", `${one.label} ${one.unit}`.trim());
  const key = document.createElement("button");
  key.textContent = "◇";
  key.hidden = !one.keyed;
  key.title = "A keyframe here, or none";
  key.setAttribute("aria-label", `Keyframe of ${one.label} at this frame`);
  range.oninput = () => { number.value = range.value; attempt(one.key, Number(range.value)); };
  range.onchange = () => keep(one, range.value);
  number.onchange = () => keep(one, number.value);
  number.onkeydown = (event) => { if (event.key === "Enter") number.blur(); };  // so that keys are the page's again
  label.ondblclick = (event) => { event.preventDefault(); keep(one, ""); };
  key.onclick = () => edit({ do: "key", key: one.key, value: Number(range.value), frame: model.frame });
  row.append(label, range, number, key);
  sliders.set(one.key, { one, row, range, number, key });
  return row;
}

function input(type, one) {
  const made = document.createElement("input");
  made.type = type;
  [made.min, made.max] = one.limits;
  made.step = type === "number" ? "any" : one.step;
  return made;
}

const keep = (one, text) =>
  edit({ do: "set", key: one.key, value: text === "" ? null : Number(text), frame: model.frame });

function fill() {
  const { values = {}, keys = {}, said = {}, preset } = model.shot;
  for (const { one, row, range, number, key } of sliders.values()) {
    const value = model.over[one.key] ?? values[one.key];
    row.classList.toggle("said", one.key in said);
    range.value = value ?? 0;
    fillIn(number, value == null ? "" : Number(value.toFixed(4)));
    number.placeholder = "preset";
    const here = (keys[one.key] ?? []).some(([frame]) => frame === model.frame);
    key.textContent = here ? "◆" : "◇";
    pressed(key, one.key in keys);
  }
  for (const button of $("presets").children) pressed(button, button.dataset.preset === preset);
}

const drawPresets = later(async () => {
  const { number, frame } = model;
  for (const button of $("presets").children) {
    if (number !== model.number || frame !== model.frame) return;
    const over = JSON.stringify({ to: button.dataset.preset });
    const asked = { number: frame, height: 144, over, lane: `${tab} ${button.dataset.preset}` };
    try { await show(button.firstChild, await picture(path("/render"), asked)); }
    catch (error) { message(error.message); return; }
  }
}, 500);

$("reset-look").onclick = () => edit({ do: "reset" });
onChange((what) => {
  if (what !== "over") fill();
  if (["shot", "frame", "said", "lights"].includes(what)) drawPresets();
});
