// The shots of a folder, and the renders.

import { $, ask, message, tell } from "./api.js";
import { model, onChange, openShot } from "./model.js";

const selected = new Set();
let states = [];

export function buildShots() {
  $("shots").hidden = model.studio.shots.length < 2;
  list();
  look();
  follow();
}

async function look() {
  try { states = await ask("/api/states"); } catch (error) { message(error.message); }
  list();
}

function list() {
  $("shot-list").replaceChildren(...model.studio.shots.map((shot, number) => {
    const row = document.createElement("li"), box = document.createElement("input");
    const open = document.createElement("button"), state = document.createElement("small");
    box.type = "checkbox";
    box.checked = selected.has(number);
    box.setAttribute("aria-label", `Select ${shot.key}`);
    box.onchange = () => (box.checked ? selected.add(number) : selected.delete(number));
    open.textContent = shot.key;
    open.title = shot.key;
    open.setAttribute("aria-current", String(number === model.number));
    open.onclick = () => openShot(number).catch((error) => message(error.message));
    const words = { done: "rendered", waiting: "to render" };
    const told = states[number] ? words[states[number]] ?? states[number] : "not known yet";
    state.className = words[states[number]] ? states[number] : "other";
    state.title = told;
    state.setAttribute("aria-label", told);
    state.setAttribute("role", "img");
    row.append(box, open, state);
    return row;
  }));
}

$("copy-look").onclick = async () => {
  if (!selected.size) { message("select shots first, by their boxes"); return; }
  try { await tell("/api/copy", { from: model.number, to: [...selected] }); look(); }
  catch (error) { message(error.message); }
};
$("render-selected").onclick = () => render([...selected]);
$("render").onclick = () => render([model.number]);
$("stop").onclick = () => tell("/api/stop", {}).catch((error) => message(error.message));

export async function render(shots = [model.number]) {
  try { await tell("/api/render", { shots }); follow(); } catch (error) { message(error.message); }
}

const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.round(seconds) % 60).padStart(2, "0")}`;
let timer;
async function follow() {
  clearTimeout(timer);
  let work;
  try { work = await ask("/api/work"); } catch { return; }
  fill(work);
  if (work.state === "running") timer = setTimeout(follow, 500);
  else if (work.state !== "none") look();
}

function fill(work) {
  const shots = Object.entries(work.shots ?? {});
  $("work").hidden = work.state === "none";
  $("stop").hidden = work.state !== "running";
  document.body.dataset.work = work.state;
  const now = shots.find(([, one]) => one.state === "rendering") ?? shots.at(-1);
  if (!now) return;
  const [key, { state, frames = 0, total, fps, error }] = now;
  const left = total && fps ? `, ${clock((total - frames) / fps)} left` : "";
  const ended = shots.filter(([, one]) => ["done", "skipped", "failed"].includes(one.state)).length;
  const many = shots.length > 1 ? `${ended} of ${shots.length} shots; ` : "";
  const running = `${many}${key}: ${state}${total ? `, ${frames} of ${total}${left}` : ""}`;
  const over = work.state === "stopped" ? "stopped; it goes on when it is rendered again"
    : error || work.error || (work.code ? `ended with code ${work.code}` : `${many}rendered`);
  $("work-words").textContent = work.state === "running" ? running : over;
  $("work-bar").value = work.state === "running" ? (total ? frames / total : 0) : Number(!work.code);
  $("command").textContent = work.command.join(" ");
  $("results").hidden = work.state !== "ended" || Boolean(work.code);
  $("result").href = `/api/shots/${model.number}/result`;
}

onChange((what) => { if (what === "shot") list(); });
