// The box a customer signs in. What is drawn goes along as lines of whole pixels; without this script the paper form is left.
const signing = (form) => {
  const canvas = form.querySelector("canvas"), field = form.elements.strokes, pad = new window.SignaturePad(canvas);
  const keep = () => {
    field.value = pad.isEmpty() ? "" : JSON.stringify(pad.toData().map((line) => line.points.map((one) => [Math.round(one.x), Math.round(one.y)])));
  };
  const draw = (lines) => pad.fromData(lines.map((line) => ({ ...pen, points: line.map(([x, y]) => ({ x, y, time: 0, pressure: 0.5 })) })));
  const pen = { penColor: "black", dotSize: 0, minWidth: 1.2, maxWidth: 1.6, velocityFilterWeight: 0.7, compositeOperation: "source-over" };
  const fit = () => {
    const ratio = Math.max(window.devicePixelRatio || 1, 1);
    canvas.width = canvas.offsetWidth * ratio;
    canvas.height = canvas.offsetHeight * ratio;
    canvas.getContext("2d").scale(ratio, ratio);
    pad.clear();
    if (field.value) draw(JSON.parse(field.value));
  };
  pad.addEventListener("endStroke", keep);
  form.querySelector("[data-clear]").addEventListener("click", () => { pad.clear(); keep(); });
  let wide = 0;  // a phone's address bar changes the height alone
  window.addEventListener("resize", () => { if (canvas.offsetWidth !== wide) { wide = canvas.offsetWidth; fit(); } });
  wide = canvas.offsetWidth;
  fit();
};

const unsigned = document.querySelector("[data-pad]");
if (unsigned && window.SignaturePad) signing(unsigned);
else {
  document.querySelector("#scan")?.setAttribute("open", "");
  if (unsigned) unsigned.closest("section").hidden = true;
}
