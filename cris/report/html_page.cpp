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
:root{--ink:#1d2330;--soft:#5d6675;--line:#e3e6eb;--paper:#f6f7f9;--card:#fff;--accent:#0072b2}
*{box-sizing:border-box}body{margin:0;font:16px/1.55 system-ui,-apple-system,"Segoe UI",sans-serif;color:var(--ink);background:var(--paper)}
main{max-width:1180px;margin:0 auto;padding:40px 24px 80px}h1{font-size:30px;margin:0 0 4px}h2{font-size:21px;margin:48px 0 12px}h3{font-size:16px;margin:28px 0 8px}
p{margin:6px 0 14px;color:var(--soft);max-width:80ch}.card{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:6px 16px;overflow-x:auto}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}th,td{padding:8px 10px;text-align:right;border-bottom:1px solid var(--line);white-space:nowrap}
th:first-child,td:first-child{text-align:left}tr:last-child td{border-bottom:0}th{font-size:13px;color:var(--soft);font-weight:600}td.best{font-weight:700;color:var(--accent)}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(420px,1fr));gap:16px}.charts svg{width:100%;height:auto;border:1px solid var(--line);border-radius:10px}
.shots{display:grid;grid-template-columns:repeat(auto-fill,minmax(520px,1fr));gap:16px}figure{margin:0;background:var(--card);border:1px solid var(--line);border-radius:10px;padding:10px}
figure img{width:100%;display:block;border-radius:4px}figcaption{font-size:13px;color:var(--soft);padding-top:6px;overflow-wrap:anywhere}
.maps{border-collapse:separate;border-spacing:6px;width:auto}.maps td,.maps th{border:0;padding:0;text-align:center}.maps th:first-child{text-align:right;padding-right:8px}
.maps img{width:112px;display:block;border-radius:4px;image-rendering:pixelated}
details{margin-top:12px}summary{cursor:pointer;color:var(--accent)}pre{font-size:12.5px;line-height:1.45;overflow:auto;background:var(--card);border:1px solid var(--line);border-radius:10px;padding:14px}
.key{display:inline-block;width:12px;height:12px;border-radius:3px;margin:0 4px 0 10px;vertical-align:-1px}
@media(max-width:600px){.charts,.shots{grid-template-columns:1fr}}
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

std::string page_end() { return "</main></body></html>\n"; }

std::string png_url(const std::string& path) { return "data:image/png;base64," + base64(tensor::read_file(path)); }

void write_page(const std::string& path, const std::string& page) {
  std::error_code none;
  if (std::filesystem::is_regular_file(path, none) && tensor::read_file(path) == page) return;
  tensor::write_file_atomically(path, page);
}

}  // namespace cris
