// What this tab works on, kept in the browser so that it is found again. A tab keeps its own over a
// refresh; a new tab takes the latest, unless another open tab still works on it.
const key = `storyreel-${props.tab}`;
const locks = navigator.locks;  // a page from another machine has none, unless it came by https
const others = new BroadcastChannel(key);
let mine = "", leave = () => {};

function remember(storage, text) {
  try { storage.setItem(key, text); } catch {}  // no room, or not allowed: then it is not found again
}

// Names are seen by the whole browser: they tell texts apart, and nothing of them.
function lockName(text) {
  const hash = [...text].reduce((sum, char) => (Math.imul(sum, 31) + char.codePointAt(0)) | 0, 0);
  return `${key} ${hash}`;
}

// Others learn of a text when it is held, and the one before is held until then.
function keep(text) {
  mine = text;
  remember(sessionStorage, text);
  const leaveFormer = leave;
  const left = new Promise((resolve) => { leave = resolve; });
  const tell = () => {
    leaveFormer();
    if (mine === text) remember(localStorage, text);
  };
  if (!locks) return tell();
  locks.request(lockName(text), { mode: "shared" }, () => { tell(); return left; }).catch(tell);
}

function comeBack(text) {
  keep(text);
  trigger("found", { kept: text });
}

// The browser knows what its tabs hold, however busy they are; where it does not, they are asked.
function takeUnlessHeld(text) {
  if (locks) {
    const take = (lock) => { if (lock && !mine) comeBack(text); };
    return locks.request(lockName(text), { ifAvailable: true }, take);
  }
  let isTaken = false;
  others.addEventListener("message", ({ data }) => { isTaken ||= data.taken === text; });
  others.postMessage({ asked: text });
  setTimeout(() => { if (!isTaken && !mine) comeBack(text); }, 500);
}

watch("value", () => { if (props.value && props.value !== mine) keep(props.value); });

others.addEventListener("message", ({ data }) => {
  if (data.asked && data.asked === mine) others.postMessage({ taken: mine });
});

const own = sessionStorage.getItem(key), latest = localStorage.getItem(key);
if (own) setTimeout(comeBack, 0, own);
else if (latest) takeUnlessHeld(latest);
