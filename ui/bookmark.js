// Which jobs this tab follows, kept in the browser so that they are found again. A tab keeps its
// own over a refresh; a new tab takes the latest, unless another open tab still follows them.
const key = `storyreel-${props.tab}`;
const others = new BroadcastChannel(key);
let mine = "";

function follow(ids) {
  mine = ids;
  sessionStorage.setItem(key, ids);
  localStorage.setItem(key, ids);
}

function comeBack(ids) {
  follow(ids);
  trigger("found", { ids });
}

watch("value", () => { if (props.value && props.value !== mine) follow(props.value); });

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
