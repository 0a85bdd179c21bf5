package browser

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/performance"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

var keep = flag.String("page.keep", "", "leave pages and screenshots in this `folder`")

// chromium finds the browser, or skips the test.
func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{os.Getenv("CHROMIUM"), "chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); name != "" && err == nil {
			return path
		}
	}
	t.Skip("there is no Chromium here: apt-get install chromium, or name one with CHROMIUM")
	return ""
}

// tab is one page in a browser of its own, and what went wrong in it.
type tab struct {
	*testing.T
	ctx context.Context

	mu       sync.Mutex
	troubles []string // messages on the console, exceptions, refusals of the policy
	asked    []string // what was requested beside the page
}

// open shows the file. Whatever the page complains of or asks for fails the test
// at its end.
func open(t *testing.T, file string) *tab {
	t.Helper()
	b := blank(t)
	b.do(chromedp.Navigate("file://" + file))
	return b
}

// blank is a tab with nothing in it yet.
func blank(t *testing.T) *tab {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(chromium(t)), chromedp.UserDataDir(t.TempDir()),
		chromedp.NoSandbox, chromedp.DisableGPU, chromedp.Flag("window-size", "1280,900"),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.Env("HOME="+t.TempDir()))
	ctx, stop := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(stop)
	b := &tab{T: t}
	quiet := func(string, ...any) {} // of events that it does not know
	b.ctx, stop = chromedp.NewContext(ctx, chromedp.WithErrorf(quiet), chromedp.WithListener(b.hear))
	t.Cleanup(stop)
	t.Cleanup(b.check)
	b.do()
	call(b, network.Enable, network.EnableParams{})
	call(b, log.Enable, cdp.Empty{})
	call(b, performance.Enable, performance.EnableParams{TimeDomain: performance.EnableTimeDomainThreadTicks})
	return b
}

func (b *tab) hear(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventConsoleAPICalled:
		b.troubles = append(b.troubles, fmt.Sprintf("console %s: %v", e.Type, e.Args))
	case *runtime.EventExceptionThrown:
		b.troubles = append(b.troubles, fmt.Sprint(e.ExceptionDetails))
	case *log.EventEntryAdded:
		b.troubles = append(b.troubles, e.Entry.Text)
	case *network.EventRequestWillBeSent:
		if e.Type != network.ResourceTypeDocument {
			b.asked = append(b.asked, e.Request.URL)
		}
	}
}

// check fails the test for what the page said or asked for.
func (b *tab) check() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.troubles) > 0 {
		b.Errorf("the page complains: %q", b.troubles)
	}
	if len(b.asked) > 0 {
		b.Errorf("the page asks for %q", b.asked)
	}
}

// do carries steps out, each within a minute.
func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.Helper()
	if err := chromedp.Do(b.ctx); err != nil { // starts the browser, without a time limit
		b.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(b.ctx, time.Minute)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		b.Fatal(err)
	}
}

// focus gives an element the keyboard. It asks the page: the library would take in
// each of its 100,000 nodes to find one.
func (b *tab) focus(selector string) {
	b.Helper()
	eval[any](b, fmt.Sprintf("document.querySelector(%q).focus(), 0", selector))
}

func call[P, R any](b *tab, command cdp.Command[P, R], params P) R {
	b.Helper()
	result, err := chromedp.Call(b.ctx, command, params)
	if err != nil {
		b.Fatal(err)
	}
	return result
}

// eval runs script and returns what it comes to.
func eval[V any](b *tab, script string) V {
	b.Helper()
	value, err := chromedp.Run(b.ctx, chromedp.Evaluate[V](script))
	if err != nil {
		b.Fatalf("%s: %v", script, err)
	}
	return value
}

// await waits until script is true.
func (b *tab) await(script string) {
	b.Helper()
	for deadline := time.Now().Add(time.Minute); !eval[bool](b, script); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			b.Fatalf("waited a minute for %s", script)
		}
	}
}

// work is how long the page's own thread has had the processor so far, in
// milliseconds.
func (b *tab) work() float64 {
	b.Helper()
	for _, m := range call(b, performance.GetMetrics, cdp.Empty{}).Metrics {
		if m.Name == "TaskDuration" {
			return m.Value * 1000
		}
	}
	b.Fatal("the browser does not tell how long the page worked")
	return 0
}

// media makes the page believe that it is on such a medium: screen or print, with
// a preference of light or dark, and so wide.
func (b *tab) media(medium, scheme string, width int64) {
	b.Helper()
	call(b, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
		Width: width, Height: 900, DeviceScaleFactor: 1, Mobile: width < 600,
	})
	call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Media: medium, Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	})
}

// shoot keeps a picture of the top of the page, if pictures are wanted.
func (b *tab) shoot(name string, width int64) {
	b.Helper()
	if *keep == "" {
		return
	}
	height := min(eval[float64](b, "document.documentElement.scrollHeight"), 4000)
	beyond := true
	shot := call(b, page.CaptureScreenshot, page.CaptureScreenshotParams{
		CaptureBeyondViewport: &beyond, Clip: &page.Viewport{Width: float64(width), Height: height, Scale: 1},
	})
	b.keepFile(name+".png", shot.Data)
}

// paper keeps the first sheets of the page as it is printed.
func (b *tab) paper(name string) {
	b.Helper()
	if *keep == "" {
		return
	}
	content, err := chromedp.Run(b.ctx, chromedp.PrintToPDF(chromedp.PDFPreferCSSPageSize(), chromedp.PDFPageRanges("1-4")))
	if err != nil {
		b.Fatal(err)
	}
	b.keepFile(name+".pdf", content)
}

func (b *tab) keepFile(name string, content []byte) {
	b.Helper()
	if *keep == "" {
		return
	}
	if err := os.WriteFile(filepath.Join(*keep, name), content, 0o600); err != nil {
		b.Fatal(err)
	}
}

// built is where program put it, "" when no test needed it.
var built string

// program builds apsctl once for all tests.
var program = sync.OnceValues(func() (string, error) {
	folder, err := os.MkdirTemp("", "apsctl-page-*")
	if err != nil {
		return "", err
	}
	built = filepath.Join(folder, "apsctl")
	out, err := exec.Command("go", "build", "-o", built, "github.com/apsctl/apsctl/cmd/apsctl").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return built, nil
})

func TestMain(m *testing.M) {
	flag.Parse()
	code := m.Run()
	if built != "" {
		_ = os.RemoveAll(filepath.Dir(built))
	}
	os.Exit(code)
}

// desk is a folder in which apsctl runs, with no credentials but the test's own.
type desk struct {
	*testing.T
	folder string
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	chromium(t)
	return &desk{t, t.TempDir()}
}

// apsctl runs it and wants one of the exit codes; none means 0.
func (d *desk) apsctl(codes []int, args ...string) string {
	d.Helper()
	path, err := program()
	if err != nil {
		d.Fatal(err)
	}
	cmd := exec.Command(path, args...)
	cmd.Dir = d.folder
	cmd.Env = []string{
		"HOME=" + d.folder, "PATH=" + os.Getenv("PATH"), "TZ=UTC", "ALIBABA_CLOUD_ECS_METADATA_DISABLED=true",
		"ALIBABA_CLOUD_CLI_PROFILE_DISABLED=true", "ALIBABA_CLOUD_ACCESS_KEY_ID=emulator", "ALIBABA_CLOUD_ACCESS_KEY_SECRET=emulator",
	}
	out, err := cmd.CombinedOutput()
	if code := cmd.ProcessState.ExitCode(); code != 0 && !slices.Contains(codes, code) {
		d.Fatalf("apsctl %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// page has the report written, and returns where.
func (d *desk) page(args ...string) string {
	d.Helper()
	d.apsctl(nil, append([]string{"report", "--html", "report.html"}, args...)...)
	file := filepath.Join(d.folder, "report.html")
	if *keep != "" {
		content, err := os.ReadFile(file)
		if err == nil {
			err = os.WriteFile(filepath.Join(*keep, strings.ReplaceAll(d.Name(), "/", "_")+".html"), content, 0o600)
		}
		if err != nil {
			d.Fatal(err)
		}
	}
	return file
}

// withoutScript shows the file with scripts switched off. What the test asks of
// the page goes on working.
func (b *tab) withoutScript(file string) {
	b.Helper()
	call(b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	b.do(chromedp.Navigate("file://" + file))
}
