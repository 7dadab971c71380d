// What this tab works on, kept in the browser so that it is found again. A tab keeps its own over a
// refresh; a new tab takes the latest, unless another open tab still works on it.
const key = `storyreel-${props.tab}`;
const locks = navigator.locks;  // a page from another machine has none, unless it came by https
const others = new BroadcastChannel(key);
let mine = "", leave = () => {}, isTaken = false;

function keep(text) {
  mine = text;
  leave();
  const left = new Promise((resolve) => { leave = resolve; });
  locks?.request(`${key} ${text}`, { mode: "shared" }, () => left);
  try {
    sessionStorage.setItem(key, text);
    localStorage.setItem(key, text);
  } catch {}  // no room, or not allowed: then nothing is found again
}

function comeBack(text) {
  keep(text);
  trigger("found", { kept: text });
}

// The browser knows at once what its tabs hold, however busy they are; else they are asked.
async function isHeld(text) {
  if (locks) return (await locks.query()).held.some(({ name }) => name === `${key} ${text}`);
  others.postMessage({ asked: text });
  await new Promise((over) => setTimeout(over, 500));
  return isTaken;
}

watch("value", () => { if (props.value && props.value !== mine) keep(props.value); });

others.onmessage = ({ data }) => {
  if (data.asked && data.asked === mine) others.postMessage({ taken: mine });
  isTaken ||= Boolean(data.taken);
};

const own = sessionStorage.getItem(key), latest = localStorage.getItem(key);
if (own) {
  setTimeout(comeBack, 0, own);
} else if (latest) {
  isHeld(latest).then((held) => { if (!held && !mine) comeBack(latest); });
}
