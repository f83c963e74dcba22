/** Where pictures come from: dropped, pasted, chosen, or taken by the camera. */

import { Trouble } from "./service.js";

/** The page's elements call `take({bitmap, file})` with each picture, `fail(error)` without one. */
export function receivePictures({ paper, file, choose }, take, fail) {
  const open = (given) => bitmapOf(given).then(take, fail);

  choose.addEventListener("click", () => file.click());
  file.addEventListener("change", () => {
    if (file.files.length) open(file.files[0]);
    file.value = ""; // so that the same one can be chosen again
  });

  document.addEventListener("paste", (event) => {
    const pasted = pictureIn(event.clipboardData);
    if (pasted) open(pasted);
  });

  // Anywhere on the page: whoever misses the paper must not leave the page for the picture.
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    paper.classList.add("dropping");
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) paper.classList.remove("dropping");
  });
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    paper.classList.remove("dropping");
    const dropped = pictureIn(event.dataTransfer);
    if (dropped) open(dropped);
    else fail(new Trouble("What was dropped is no file: save the picture first, and drop that."));
  });
}

/** The camera's picture on a video, and a button that takes it; hidden where there is no camera. */
export function offerCamera({ video, camera, shoot }, take, fail) {
  let stream = null;
  camera.hidden = !navigator.mediaDevices?.getUserMedia;

  const stop = () => {
    stream?.getTracks().forEach((track) => track.stop());
    stream = video.srcObject = null;
    video.hidden = shoot.hidden = true;
    camera.textContent = "Camera";
  };

  camera.addEventListener("click", async () => {
    if (stream) return stop();
    try {
      stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
    } catch {
      return fail(new Trouble("There is no camera that this page may use."));
    }
    video.srcObject = stream;
    video.hidden = shoot.hidden = false;
    camera.textContent = "Cancel";
    await video.play();
    shoot.focus();
  });

  shoot.addEventListener("click", async () => {
    const canvas = document.createElement("canvas");
    Object.assign(canvas, { width: video.videoWidth, height: video.videoHeight });
    canvas.getContext("2d").drawImage(video, 0, 0);
    stop();
    const file = await new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.95));
    take({ bitmap: await createImageBitmap(canvas), file });
  });
  return stop;
}

const pictureIn = (data) => [...(data?.files ?? [])][0];

async function bitmapOf(file) {
  try {
    return { bitmap: await createImageBitmap(file), file };
  } catch {
    const name = file.name ? `“${file.name}”` : "This";
    throw new Trouble(`${name} is not a picture that the browser can show: PNG or JPEG always is.`);
  }
}
