/** Without this, a file dropped outside the drop zones would replace the page, and all work in the page would be lost. */

for (const type of ["dragover", "drop"] as const) {
  addEventListener(type, (event) => {
    const onInput = event.composedPath()[0] instanceof HTMLInputElement;
    if (event.defaultPrevented || onInput || !event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "none"; // the pointer then shows that nothing can be dropped here
  });
}

export {};
