/** A file that is dropped beside the places for files would open in place of the page, and all work in the page would be gone. */

for (const type of ["dragover", "drop"] as const) {
  addEventListener(type, (event) => {
    const onInput = event.composedPath()[0] instanceof HTMLInputElement;
    if (event.defaultPrevented || onInput || !event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "none"; // the pointer says that nothing can be dropped here
  });
}

export {};
