// What this tab works on, kept in the browser so that it is found again. A tab keeps its own over a
// refresh; a new tab takes the latest, unless another open tab still works on it.
const key = `storyreel-${props.tab}`;
const others = new BroadcastChannel(key);
let mine = "";

function keep(text) {
  mine = text;
  try {
    sessionStorage.setItem(key, text);
    localStorage.setItem(key, text);
  } catch {}  // no room, or not allowed: then nothing is found again
}

function comeBack(text) {
  keep(text);
  trigger("found", { kept: text });
}

watch("value", () => { if (props.value && props.value !== mine) keep(props.value); });

let isTaken = false;
others.onmessage = ({ data }) => {
  if (data.asked && data.asked === mine) others.postMessage({ taken: mine });
  isTaken ||= Boolean(data.taken);
};

const own = sessionStorage.getItem(key), latest = localStorage.getItem(key);
if (own) {
  setTimeout(comeBack, 0, own);
} else if (latest) {
  others.postMessage({ asked: latest });
  setTimeout(() => { if (!isTaken && !mine) comeBack(latest); }, 250);
}
