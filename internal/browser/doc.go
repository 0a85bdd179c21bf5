// Package browser tests the page that apsctl report --html writes in a real
// browser: Chromium without a window, on a file, with no network. Its tests are
// skipped where there is none. They run the real program.
package browser
