/// The scene is drawn first (Scene), then every pixel is evaluated: height -> normal -> light, and albedo from tints.
/// Coordinates (u, v) have their origin at the centre and unit half the shorter side.
#include "data/synthetic.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "data/dataset.h"
#include "data/noise.h"
#include "data/random_streams.h"
#include "tensor/check.h"

namespace data {

namespace {

constexpr float kPi = std::numbers::pi_v<float>;

struct Vec3 {
  float x, y, z;
  Vec3 operator+(const Vec3& o) const { return {x + o.x, y + o.y, z + o.z}; }
  Vec3 operator*(float s) const { return {x * s, y * s, z * s}; }
  Vec3 operator*(const Vec3& o) const { return {x * o.x, y * o.y, z * o.z}; }
};
float dot(const Vec3& a, const Vec3& b) { return a.x * b.x + a.y * b.y + a.z * b.z; }
Vec3 unit(const Vec3& a) { return a * (1 / std::sqrt(dot(a, a))); }
Vec3 mix(const Vec3& a, const Vec3& b, float t) { return a * (1 - t) + b * t; }
float smooth_step(float low, float high, float x) {
  const float t = std::clamp((x - low) / (high - low), 0.0f, 1.0f);
  return t * t * (3 - 2 * t);
}

float real(Draws& d, double low, double high) { return float(d.between(low, high)); }

/// A closed outline: a rotated ellipse whose radius waves along the angle.
struct Outline {
  float u, v, along, across, cosine, sine;
  std::array<float, 4> wave, phase;

  Outline(Draws& d, float reach, float size, float aspect, float waviness)
      : u(real(d, -reach, reach)),
        v(real(d, -reach, reach)),
        along(size * std::sqrt(aspect)),
        across(size / std::sqrt(aspect)) {
    const float angle = real(d, 0, 2 * kPi);
    cosine = std::cos(angle);
    sine = std::sin(angle);
    for (size_t k = 0; k < wave.size(); ++k) {
      wave[k] = waviness * real(d, 0, 1) / float(k + 1);
      phase[k] = real(d, 0, 2 * kPi);
    }
  }
  /// Distance from the centre where 1 is the outline.
  float distance(float x, float y) const {
    const float du = x - u, dv = y - v;
    const float a = (cosine * du + sine * dv) / along, b = (-sine * du + cosine * dv) / across;
    const float r = std::sqrt(a * a + b * b);
    if (r > 2.5f) return r;
    const float angle = std::atan2(b, a);
    float radius = 1;
    for (size_t k = 0; k < wave.size(); ++k) radius += wave[k] * std::cos(float(k + 2) * angle + phase[k]);
    return r / radius;
  }
};

struct Polyp {
  Outline outline;
  float height, roundness, lobes, contrast;
  Vec3 tint;
};

Polyp draw_polyp(Draws& d, float reach) {
  const float size = 0.13f * std::pow(4.2f, real(d, 0, 1));  // log-uniform: small ones are as frequent as large ones
  Polyp p{.outline = Outline(d, reach, size, real(d, 1, 1.7), real(d, 0.05, 0.22)),
          .height = 0,
          .roundness = real(d, 0.55, 1.3),
          .lobes = real(d, 0, 0.5),
          .contrast = real(d, 0.15, 1),
          .tint = {}};
  p.height = size * real(d, 0.2, 0.85) * (0.4f + 0.6f * p.contrast);
  const Vec3 red{1.08f, 0.78f, 0.80f}, pale{1.10f, 1.16f, 1.12f}, dark{0.82f, 0.70f, 0.74f};
  p.tint = d.chance(0.5) ? red : d.chance(0.6) ? pale : dark;
  p.tint = mix({1, 1, 1}, p.tint, p.contrast);
  return p;
}

struct Bubble {
  float u, v, radius;
};

/// What is in a picture, and the fields that texture it.
struct Scene {
  Draws draws;
  float extent;
  NoiseField bumps, warp, gate, blotches, vessels, grain, ripples, residue;
  float lumen_u, lumen_v, lumen_size, lumen_depth, fold_count, fold_height, fold_phase, vessel_strength, residue_level;
  float light_u, light_v, falloff, gloss, exposure, frame_corner, box_height, box_width;
  Vec3 wall;
  std::vector<Polyp> polyps;
  std::vector<Outline> humps;
  std::vector<Bubble> bubbles;

  Scene(const tensor::RandomKey& key, float extent)
      : draws(key),
        extent(extent),
        bumps(draws, extent, 0.9, 3),
        warp(draws, extent, 0.8, 3),
        gate(draws, extent, 1.1, 2),
        blotches(draws, extent, 0.7, 4),
        vessels(draws, extent, 0.55, 3),
        grain(draws, extent, 0.09, 3),
        ripples(draws, extent, 0.12, 2),
        residue(draws, extent, 0.35, 4) {
    Draws& d = draws;
    const float lumen_angle = real(d, 0, 2 * kPi), lumen_distance = real(d, 0.2, 1.3);
    lumen_u = lumen_distance * std::cos(lumen_angle);
    lumen_v = lumen_distance * std::sin(lumen_angle);
    lumen_size = real(d, 0.25, 0.6);
    lumen_depth = d.chance(0.75) ? real(d, 0.5, 0.95) : 0;
    fold_count = real(d, 4, 9);
    fold_height = real(d, 0.02, 0.11);
    fold_phase = real(d, 0, 2 * kPi);
    vessel_strength = d.chance(0.7) ? real(d, 0.1, 0.4) : 0;
    residue_level = d.chance(0.3) ? real(d, 0.22, 0.4) : 2;
    light_u = real(d, -0.5, 0.5);
    light_v = real(d, -0.5, 0.5);
    falloff = real(d, 0.25, 0.9);
    gloss = real(d, 0.3, 1);
    exposure = real(d, 0.85, 1.25);
    frame_corner = d.chance(0.6) ? real(d, 1.4, 1.75) : 10;
    const bool box = d.chance(0.15);
    box_height = box ? real(d, 0.5, 0.7) : 0;
    box_width = box ? real(d, 0.45, 0.7) : 0;
    wall = {real(d, 0.74, 0.95), real(d, 0.32, 0.48), real(d, 0.22, 0.36)};
    const int polyp_count = d.chance(0.8) ? 1 : 2;
    for (int i = 0; i < polyp_count; ++i) polyps.push_back(draw_polyp(d, 0.55f));
    for (int i = d.below(4); i > 0; --i) humps.push_back(Outline(d, 0.9f, real(d, 0.08, 0.22), real(d, 2, 5), 0.1f));
    if (d.chance(0.25))
      for (int i = 3 + d.below(8); i > 0; --i)
        bubbles.push_back({real(d, -0.9, 0.9), real(d, -0.9, 0.9), real(d, 0.02, 0.07)});
  }

  /// How far the wall rises toward the camera.
  float height(float u, float v) const {
    const float bend = warp.at(u, v), du = u - lumen_u, dv = v - lumen_v;
    const float wave = std::sin(fold_count * (std::sqrt(du * du + dv * dv) + 0.45f * bend) + fold_phase);
    const float crest = wave > 0 ? wave * wave * wave : 0;
    float h = fold_height * crest * smooth_step(-0.35f, 0.35f, gate.at(u, v)) + 0.10f * bumps.at(u, v);
    for (const Outline& hump : humps) {
      const float d = hump.distance(u, v);
      if (d < 2.5f) h += 0.35f * hump.across * std::exp(-2 * d * d);
    }
    for (const Polyp& p : polyps) {
      const float d = p.outline.distance(u, v);
      if (d >= 1) continue;
      const float dome = std::pow(1 - d * d, p.roundness);
      h += p.height * dome * (1 + p.lobes * ripples.at(u, v));
    }
    return h;
  }

  bool visible(float u, float v, float u_edge, float v_edge) const {
    if (u + u_edge < box_width && v_edge - v < box_height) return false;
    return std::abs(u) / u_edge + std::abs(v) / v_edge < frame_corner;
  }
};

/// Camera and light: what the eye sees of one point.
Vec3 shade(const Scene& s, float u, float v, const Vec3& normal) {
  const float blotch = s.blotches.at(u, v), grain = s.grain.at(u, v);
  Vec3 albedo = s.wall * (1 + 0.22f * blotch);
  float on_polyp = 0, crease = 0, texture = 0.10f;
  for (const Polyp& p : s.polyps) {
    const float d = p.outline.distance(u, v);
    const float inside = smooth_step(1.04f, 0.9f, d);
    albedo = albedo * mix({1, 1, 1}, p.tint, inside);
    on_polyp = std::max(on_polyp, inside);
    texture += 0.16f * inside * p.contrast;
    const float rim = (d - 1.06f) / 0.16f;
    crease = std::max(crease, p.contrast * std::exp(-rim * rim));
  }
  const float vein = 1 - std::abs(s.vessels.at(u, v)) / 0.035f;
  if (vein > 0)
    albedo = albedo * mix({1, 1, 1}, {0.82f, 0.55f, 0.6f}, vein * s.vessel_strength * (1 - 0.8f * on_polyp));
  albedo = albedo * (1 + texture * grain);
  const float dirt = smooth_step(s.residue_level, s.residue_level + 0.1f, s.residue.at(u, v));
  albedo = mix(albedo, {0.62f, 0.50f, 0.18f}, 0.75f * dirt);

  const Vec3 to_light = unit({s.light_u - u, s.light_v - v, 1.3f});
  const float lit = std::max(0.0f, dot(normal, to_light));
  const float far_u = u - s.light_u, far_v = v - s.light_v, in_u = u - s.lumen_u, in_v = v - s.lumen_v;
  float light = s.exposure * (0.18f + 0.95f * lit) / (1 + s.falloff * (far_u * far_u + far_v * far_v));
  light *= 1 - s.lumen_depth * std::exp(-(in_u * in_u + in_v * in_v) / (s.lumen_size * s.lumen_size)) *
                   (1 - 0.7f * on_polyp);
  light *= 1 - 0.3f * crease;

  // The wet film ripples: highlights break into spots.
  const Vec3 film = unit({normal.x + 0.35f * grain, normal.y + 0.35f * blotch, normal.z});
  const float mirror = std::max(0.0f, dot(film, unit(to_light + Vec3{0, 0, 1})));
  const float highlight = s.gloss * smooth_step(0.35f, 0.8f, std::pow(mirror, 90.0f) * (0.55f + s.ripples.at(u, v)));
  Vec3 colour = albedo * light + Vec3{1, 0.97f, 0.94f} * highlight;
  for (const Bubble& b : s.bubbles) {
    const float r = std::hypot(u - b.u, v - b.v) / b.radius;
    if (r < 1.1f) {
      const float ring = (r - 0.9f) / 0.12f,
                  spot = std::hypot(u - b.u + 0.4f * b.radius, v - b.v + 0.4f * b.radius) / b.radius;
      colour = colour + Vec3{0.35f, 0.33f, 0.28f} * std::exp(-ring * ring) +
               Vec3{0.8f, 0.8f, 0.8f} * std::exp(-30 * spot * spot);
    }
  }
  return colour;
}

uint8_t tone(float c) {
  // Bright parts roll off instead of clipping.
  const float t = c <= 0 ? 0 : 1 - std::exp(-1.6f * c);
  return uint8_t(std::clamp(std::lround(255 * t * 1.12f), 0l, 255l));
}

}  // namespace

Sample synthesize(uint64_t seed, int64_t index, int64_t height, int64_t width) {
  tensor::check(height >= 32 && width >= 32, "synthesize: {} x {} pixels (height x width); 32 a side at least", height,
                width);
  const float unit_pixels = float(std::min(height, width)) / 2;
  const float u_edge = float(width) / 2 / unit_pixels, v_edge = float(height) / 2 / unit_pixels;
  const tensor::RandomKey key{.seed = seed, .stream = kSyntheticStream, .step = uint32_t(index)};
  Scene scene(key, std::max(u_edge, v_edge) + 0.1f);
  // No polyp may vanish under the overlay box: then its mask would be empty.
  for (const Polyp& p : scene.polyps)
    if (!scene.visible(p.outline.u, p.outline.v, u_edge, v_edge)) scene.box_width = 0;
  const auto u_of = [&](int64_t q) { return (float(q) + 0.5f) / unit_pixels - u_edge; };
  const auto v_of = [&](int64_t p) { return (float(p) + 0.5f) / unit_pixels - v_edge; };

  // One row and column more than the picture: slopes are differences to the next pixel.
  std::vector<float> relief(size_t((height + 1) * (width + 1)));
  for (int64_t p = 0; p <= height; ++p)
    for (int64_t q = 0; q <= width; ++q) relief[size_t(p * (width + 1) + q)] = scene.height(u_of(q), v_of(p));

  Sample sample{Image(height, width, 3), Image(height, width, 1)};
  const tensor::RandomKey sensor{.seed = seed, .stream = kSensorStream, .step = uint32_t(index)};
  for (int64_t p = 0; p < height; ++p)
    for (int64_t q = 0; q < width; ++q) {
      const float u = u_of(q), v = v_of(p);
      const auto bits = tensor::random_block(sensor, uint64_t(p * width + q));
      const auto noise = [&](int c) { return (float(bits[c] & 0xffff) - float(bits[c] >> 16)) / 65536.0f; };
      uint8_t* rgb = sample.image.at(p, q);
      if (!scene.visible(u, v, u_edge, v_edge)) {
        for (int c = 0; c < 3; ++c) rgb[c] = uint8_t(std::max(0.0f, 6 + 6 * noise(c)));
        continue;
      }
      const float here = relief[size_t(p * (width + 1) + q)];
      const float right = relief[size_t(p * (width + 1) + q + 1)], below = relief[size_t((p + 1) * (width + 1) + q)];
      const Vec3 normal = unit({(here - right) * unit_pixels, (here - below) * unit_pixels, 1});
      const Vec3 colour = shade(scene, u, v, normal);
      rgb[0] = tone(colour.x + 0.02f * noise(0));
      rgb[1] = tone(colour.y + 0.02f * noise(1));
      rgb[2] = tone(colour.z + 0.02f * noise(2));
      for (const Polyp& polyp : scene.polyps)
        if (polyp.outline.distance(u, v) < 1) *sample.mask.at(p, q) = 255;
    }
  return sample;
}

std::vector<std::string> synthetic_names(int64_t count) {
  std::vector<std::string> names;
  for (int64_t i = 0; i < count; ++i) names.push_back(fmt::format("{:04}", i));
  return names;
}

void write_synthetic_set(const std::string& out, int64_t count, int64_t height, int64_t width, uint64_t seed,
                         int threads) {
  tensor::check(count > 0, "synthesize: count {} must be at least 1", count);
  write_dataset(out, synthetic_names(count), threads, [&](int64_t i) { return synthesize(seed, i, height, width); });
}

}  // namespace data
