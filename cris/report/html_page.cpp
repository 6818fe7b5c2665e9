/// Style sheet and pictures go into the page itself, so that one file can be sent and opened offline.
#include "cris/report/html_page.h"

#include <fmt/format.h>

#include <cstdint>
#include <filesystem>
#include <system_error>

#include "cris/report/svg_chart.h"
#include "tensor/machine/atomic_file.h"

namespace cris {

namespace {

const char* const kStyle = R"(
:root{--ink:#1d2330;--soft:#5d6675;--line:#e3e6eb;--paper:#f6f7f9;--card:#fff;--accent:#0072b2;color-scheme:light dark}
@media(prefers-color-scheme:dark){:root{--ink:#e8eaf0;--soft:#a9b1bf;--line:#363d4a;--paper:#14171d;--card:#1d2129;--accent:#6cb8ec}}
*{box-sizing:border-box}body{margin:0;font:16px/1.55 system-ui,-apple-system,"Segoe UI",sans-serif;color:var(--ink);background:var(--paper)}
main{max-width:1180px;margin:0 auto;padding:40px 24px 80px}h1{font-size:30px;line-height:1.2;margin:0 0 4px}h2{font-size:21px;margin:48px 0 12px}h3{font-size:16px;margin:28px 0 8px}
p{margin:6px 0 14px;color:var(--soft);max-width:80ch;overflow-wrap:anywhere}.card{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:6px 16px;margin-bottom:14px}
table{border-collapse:collapse;width:100%;font-size:14px;font-variant-numeric:tabular-nums}th,td{padding:7px 8px;text-align:right;border-bottom:1px solid var(--line)}
td{white-space:nowrap}th:first-child,td:first-child{text-align:left;white-space:normal}tbody tr:last-child td,tr:last-child td{border-bottom:0}th{font-size:13px;color:var(--soft);font-weight:600;vertical-align:bottom}td.best{font-weight:700}
.charts{display:grid;grid-template-columns:repeat(2,1fr);gap:16px}.charts svg{width:100%;height:auto;border:1px solid var(--line);border-radius:10px}.charts>:last-child:nth-child(odd){grid-column:1/-1;max-width:60%;justify-self:center}
.shots{display:grid;grid-template-columns:repeat(2,1fr);gap:16px}figure{margin:0;background:var(--card);border:1px solid var(--line);border-radius:10px;padding:10px;break-inside:avoid}
figure img{width:100%;display:block;border-radius:4px}figcaption{font-size:13px;color:var(--soft);padding-top:6px;overflow-wrap:anywhere}
.maps{border-collapse:separate;border-spacing:6px;width:100%;table-layout:fixed}.maps td,.maps th{border:0;padding:0;text-align:center;white-space:normal}.maps th:first-child{text-align:right;padding-right:8px}
.plain th:first-child{text-align:center;padding:0}
.maps img{width:100%;display:block;border-radius:4px;image-rendering:pixelated}
nav{font-size:14px;margin:14px 0}nav a{color:var(--accent);text-decoration:none;white-space:nowrap;margin-right:18px}nav a:hover{text-decoration:underline}
figure+figure{margin-top:10px}.charts figure+figure,.shots figure+figure{margin-top:0}.frames{display:grid;font-size:12px;color:var(--soft);text-align:center}.slider{position:sticky;top:0;background:var(--paper);padding:8px 0;z-index:1}.slider input{width:min(420px,100%);vertical-align:middle;accent-color:var(--accent)}canvas{width:100%;display:block;border-radius:4px;image-rendering:pixelated}
details{margin-top:12px}summary{cursor:pointer;color:var(--accent)}pre{font-size:12.5px;line-height:1.45;white-space:pre-wrap;overflow-wrap:anywhere;background:var(--card);border:1px solid var(--line);border-radius:10px;padding:14px}
.key{display:inline-block;width:12px;height:12px;border-radius:3px;margin:0 4px 0 10px;vertical-align:-1px}
@media screen and (max-width:760px){.charts,.shots{grid-template-columns:1fr}.charts>:last-child:nth-child(odd){max-width:none}main{padding:24px 12px 60px}
.rows thead{display:none}.rows tr{display:grid;grid-template-columns:1fr 1fr;column-gap:14px;padding:8px 0;border-bottom:1px solid var(--line)}.rows tr:last-child{border:0}
.rows td{display:flex;justify-content:space-between;gap:8px;border:0;padding:2px 0;text-align:right;white-space:normal}.rows td:first-child{grid-column:1/-1;font-weight:600;display:block;text-align:left}.rows td:empty{display:none}
.rows td:not(:first-child)::before{content:attr(data-label);color:var(--soft);text-align:left}.maps{border-spacing:2px;font-size:11px}}
@media print{nav,.slider{display:none}:root{--ink:#000;--soft:#333;--line:#ccc;--paper:#fff;--card:#fff;--accent:#000}@page{size:A4;margin:14mm}body{font-size:11px}main{padding:0;max-width:none}table{font-size:9.5px}th{font-size:9px}th,td{padding:3px 4px}.card{padding:2px 6px}
h2,h3,summary{break-after:avoid}tr,.charts svg{break-inside:avoid}details::details-content{content-visibility:visible;height:auto}details>*{display:block}summary{font-weight:600}pre{font-size:8.5px}.maps{border-spacing:3px}}
)";

std::string base64(const std::string& bytes) {
  static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t word = 0;
    for (size_t j = 0; j < 3; ++j) word = word << 8 | (i + j < bytes.size() ? uint8_t(bytes[i + j]) : 0);
    for (size_t j = 0; j < 4; ++j) text += i + j > bytes.size() ? '=' : digits[word >> (18 - 6 * j) & 63];
  }
  return text;
}

}  // namespace

std::string page_begin(const std::string& title) {
  return fmt::format(
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"generator\" "
      "content=\"cris\"><meta name=\"viewport\" "
      "content=\"width=device-width\">"
      "<title>{0}</title><style>{1}</style></head><body><main>\n<h1>{0}</h1>\n",
      escape_markup(title), kStyle);
}

std::string with_contents(std::string page) {
  const std::string open = "<h2>";
  std::string list = "<nav>";
  int chapter = 0;
  for (size_t at = page.find(open); at != std::string::npos; at = page.find(open, at + 1)) {
    const std::string name = page.substr(at + open.size(), page.find("</h2>", at) - at - open.size());
    page.replace(at, open.size(), fmt::format("<h2 id=\"chapter-{}\">", ++chapter));
    list += fmt::format("<a href=\"#chapter-{}\">{}</a> ", chapter, name);
  }
  const size_t heading = page.find("</h1>\n");
  return chapter > 1 ? page.insert(heading + 6, list + "</nav>\n") : page;
}

std::string page_end() { return "</main></body></html>\n"; }

std::string png_url(const std::string& path) { return "data:image/png;base64," + base64(tensor::read_file(path)); }

void write_page(const std::string& path, const std::string& page) {
  std::error_code none;
  if (std::filesystem::is_regular_file(path, none) && tensor::read_file(path) == page) return;
  tensor::write_file_atomically(path, page);
}

}  // namespace cris
