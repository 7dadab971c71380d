// Reads the texts out of a dropped or chosen picture. Its pixels stay in the browser: of a PNG or
// WebP all other chunks are sent, of a JPEG the beginning, where its texts stand.
const FILE_MAX = 64 * 2 ** 20, SENT_MAX = 1_000_000;
const PNG = { begin: 8, frame: 12, nameAt: 4, lengthAt: 0, little: false };
const WEBP = { begin: 12, frame: 8, nameAt: 0, lengthAt: 4, little: true };
const PIXELS = new Set(["IDAT", "fdAT", "VP8 ", "VP8L", "ALPH", "ANMF"]);

function withoutPixels(buffer) {
  const view = new DataView(buffer), bytes = new Uint8Array(buffer);
  const nameAt = (at) => String.fromCharCode(...bytes.subarray(at, at + 4));
  const form = nameAt(1).startsWith("PNG") ? PNG : nameAt(8) === "WEBP" ? WEBP : null;
  if (!form) return [bytes];
  const kept = [bytes.subarray(0, form.begin)];
  for (let at = form.begin; at + 8 <= bytes.length; ) {
    const length = view.getUint32(at + form.lengthAt, form.little);
    const end = at + form.frame + length + (form.little ? length % 2 : 0);
    if (!PIXELS.has(nameAt(at + form.nameAt))) kept.push(bytes.subarray(at, end));
    at = end;
  }
  return kept;
}

async function load(file) {
  if (!file) return;
  const parts = file.size > FILE_MAX ? [] : withoutPixels(await file.arrayBuffer());
  const reader = new FileReader();
  reader.onload = () => trigger("dropped", { name: file.name, data: reader.result.split(",")[1] });
  reader.readAsDataURL(new Blob(parts).slice(0, SENT_MAX));
}

const input = element.querySelector("input"), card = element.closest(".card");
input.addEventListener("change", () => { load(input.files[0]); input.value = ""; });
const carriesFile = (event) => event.dataTransfer.types.includes("Files");
card.addEventListener("dragover", (event) => {
  if (!carriesFile(event)) return;
  event.preventDefault();
  card.classList.add("under-file");
});
card.addEventListener("dragleave", (event) => {
  if (!card.contains(event.relatedTarget)) card.classList.remove("under-file");
});
card.addEventListener("drop", (event) => {
  if (!carriesFile(event)) return;
  event.preventDefault();
  card.classList.remove("under-file");
  load(event.dataTransfer.files[0]);
});
