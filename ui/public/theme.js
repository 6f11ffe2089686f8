// Runs before the first paint, so that a chosen theme does not flash. The content security policy forbids inline scripts.
(() => {
  let theme = null;
  try {
    theme = localStorage.getItem('tokenfall.theme');
  } catch {
    // Storage can be forbidden; the system's theme is a good answer then.
  }
  if (theme !== 'dark' && theme !== 'light') {
    theme = matchMedia('(prefers-color-scheme: light)').matches ? 'light' : 'dark';
  }
  document.documentElement.dataset.theme = theme;
})();
