// A name for the theme's search dialogue, which has none: screen readers announce it by this.
document.querySelector('.md-search[role="dialog"]')?.setAttribute("aria-label", "Search");
