/// The only script of a report's page. It computes nothing that the page does not show without it.
#include "cris/report/threshold_slider.h"

namespace cris {

namespace {

const char* const kScript = R"(
const box = document.getElementById("slider"), range = box.querySelector("input"), out = box.querySelector("output");
const cells = [...box.querySelectorAll("tbody tr")];
function show(cut) {
  const k = +range.value, t = thresholds[k];
  out.textContent = t.toFixed(2);
  cells.forEach((row, i) => curves[i][k].forEach((v, c) => row.children[c + 1].textContent = (100 * v).toFixed(1)));
  if (cut) for (const map of document.images) {
    if (map.className != "map") continue;
    let canvas = map.nextElementSibling;
    if (!canvas) {
      canvas = map.after(document.createElement("canvas")) || map.nextElementSibling;
      canvas.width = map.naturalWidth, canvas.height = map.naturalHeight;
      map.style.display = "none";
    }
    const pen = canvas.getContext("2d");
    pen.drawImage(map, 0, 0);
    const picture = pen.getImageData(0, 0, canvas.width, canvas.height), d = picture.data;
    for (let i = 0; i < d.length; i += 4) d[i] = d[i + 1] = d[i + 2] = d[i] / 255 >= t ? 255 : 0;
    pen.putImageData(picture, 0, 0);
  }
}
range.addEventListener("input", () => show(true));
box.querySelector("button").addEventListener("click", () => {
  for (const canvas of document.querySelectorAll("canvas")) canvas.previousElementSibling.style.display = "", canvas.remove();
});
show(false);
box.hidden = false;
)";

}  // namespace

std::string threshold_slider(const std::vector<ReportCell>& cells) {
  Table table{.name = "at", .title = "", .columns = {"", "Dice, %", "precision, %", "recall, %"}};
  for (const ReportCell& c : cells) table.rows.push_back({{c.label}, {"-"}, {"-"}, {"-"}});
  const size_t last = cells[0].runs[0].curves.size() - 1;
  return fmt::format(
             "<div id=\"slider\" class=\"slider\" hidden><p><label>Threshold <input type=\"range\" min=\"0\" "
             "max=\"{}\" value=\"{}\"></label> <output></output>. It also cuts the maps of the same images below; "
             "<button>show their probabilities</button> again.</p>\n",
             last, last / 2) +
         to_html(table) + "</div>\n";
}

std::string threshold_script(const std::vector<ReportCell>& cells) {
  std::string curves, thresholds;
  for (const ReportCell& c : cells) {
    const RunFiles& r = c.runs[0];
    const std::string file = r.path + "/curves.csv";
    curves += curves.empty() ? "[" : ",[";
    for (size_t k = 0; k < cells[0].runs[0].curves.size(); ++k) {
      const auto at = [&](size_t column) { return number(r.curves, k, column, file); };
      curves += fmt::format("{}[{:.4f},{:.4f},{:.4f}]", k ? "," : "", at(6), at(4), at(5));
      if (&c == &cells[0]) thresholds += fmt::format("{}{}", k ? "," : "", at(0));
    }
    curves += "]";
  }
  return "<script>\nconst thresholds = [" + thresholds + "], curves = [" + curves + "];" + kScript + "</script>\n";
}

}  // namespace cris
