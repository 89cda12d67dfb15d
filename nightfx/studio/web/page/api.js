// Questions to the studio; what goes wrong becomes a message on the page.

export const tab = Math.random().toString(36).slice(2, 10);

export class StudioError extends Error {
  constructor(message, status) { super(message); this.status = status; }
}

async function answer(path, options) {
  let reply;
  try { reply = await fetch(path, options); } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new StudioError("the studio does not answer: is it still running in its terminal?", 0);
  }
  if (reply.ok) return reply;
  const told = await reply.json().catch(() => ({}));
  throw new StudioError(told.error ?? `the studio answered ${reply.status}`, reply.status);
}

export const ask = async (path) => (await answer(path)).json();
export const tell = async (path, said) =>
  (await answer(path, { method: "POST", body: JSON.stringify(said) })).json();

// A picture as an object URL; null where a newer question took its place.
export async function picture(path, query) {
  const words = new URLSearchParams(Object.entries(query).filter(([, v]) => v !== undefined));
  const reply = await answer(`${path}?${words}`);
  return reply.status === 204 ? null : URL.createObjectURL(await reply.blob());
}

// Puts a picture into an element when it is decoded, so that nothing flashes.
export async function show(element, url) {
  if (!url) return;
  const ready = new Image();
  ready.src = url;
  try { await ready.decode(); } catch { return; }
  const before = element.src;
  element.src = url;
  if (before.startsWith("blob:")) URL.revokeObjectURL(before);
}

export function message(words) {
  const box = document.getElementById("messages");
  if ([...box.children].some((one) => one.textContent === words)) return;
  const line = document.createElement("p");
  line.textContent = words;
  line.title = "Click to close";
  line.onclick = () => line.remove();
  box.append(line);
  while (box.children.length > 3) box.firstChild.remove();
  setTimeout(() => line.remove(), 9000);
}

// Runs something again when it was asked for while it was running: never two at once, and the last one counts.
export function latest(work) {
  let running = false, again = false;
  return async function go() {
    if (running) { again = true; return; }
    running = true;
    try { do { again = false; await work(); } while (again); }
    catch (error) { if (error.name !== "AbortError") message(error.message); }
    finally { running = false; }
  };
}

export function later(work, milliseconds) {
  let timer;
  return () => { clearTimeout(timer); timer = setTimeout(work, milliseconds); };
}

// What is being typed is not written over by an answer that comes meanwhile.
document.addEventListener("input", ({ target }) => { if (target.type === "number") target.dataset.typed = ""; }, true);
for (const end of ["change", "focusout"]) document.addEventListener(end, ({ target }) => { delete target.dataset?.typed; }, true);
export const fillIn = (input, value) => { if (!("typed" in input.dataset)) input.value = value; };

export const $ = (id) => document.getElementById(id);
export const pressed = (button, is) => button.setAttribute("aria-pressed", String(is));
