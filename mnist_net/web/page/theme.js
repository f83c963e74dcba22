/** Dark or light: as the system has it, until somebody says otherwise. */

const KEY = "mnist-net theme";

/** The button's wish, kept from visit to visit; `changed()` follows each change. */
export function followTheme(button, changed) {
  const system = matchMedia("(prefers-color-scheme: dark)");

  const apply = () => {
    const theme = remembered() ?? (system.matches ? "dark" : "light");
    document.documentElement.dataset.theme = theme;
    button.setAttribute("aria-pressed", String(theme === "dark"));
    changed();
  };
  button.addEventListener("click", () => {
    remember(document.documentElement.dataset.theme === "dark" ? "light" : "dark");
    apply();
  });
  system.addEventListener("change", apply);
  apply();
}

// Where a page may keep nothing (a private window, a file), the wish lasts as long as the page.
let wish = null;

function remembered() {
  try {
    return localStorage.getItem(KEY) ?? wish;
  } catch {
    return wish;
  }
}

function remember(theme) {
  wish = theme;
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // it is in `wish`
  }
}
