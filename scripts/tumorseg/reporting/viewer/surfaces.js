// Surfaces of a mask for the 3D view, by surface nets: each cell of eight voxels that the border crosses has one point.
// Reference: Gibson, Constrained Elastic Surface Nets, MICCAI 1998, doi:10.1007/BFb0056277
const viewerSurfaces = (() => {
  const CORNERS = [...Array(8).keys()].map((corner) => [corner & 1, (corner >> 1) & 1, corner >> 2]);
  const EDGES = CORNERS.flatMap((_, from) =>
    [1, 2, 4].filter((step) => !(from & step)).map((step) => [from, from + step]),
  );
  const SMOOTHING_STEPS = 4;

  // Returns the box of the voxels inside, with a margin of one voxel: its first voxel, its size, and 1 where inside.
  const cropped = (values, dims, isInside, step) => {
    const low = [Infinity, Infinity, Infinity];
    const high = [-1, -1, -1];
    const visit = (action) => {
      for (let z = 0; z < dims[2]; z += step)
        for (let y = 0; y < dims[1]; y += step)
          for (let x = 0; x < dims[0]; x += step)
            if (isInside(values[x + dims[0] * (y + dims[1] * z)])) action([x / step, y / step, z / step]);
    };
    visit((voxel) => {
      for (let axis = 0; axis < 3; axis += 1) {
        low[axis] = Math.min(low[axis], voxel[axis]);
        high[axis] = Math.max(high[axis], voxel[axis]);
      }
    });
    if (high[0] < 0) return null;
    const size = high.map((end, axis) => end - low[axis] + 3);
    const strides = [1, size[0], size[0] * size[1]];
    const inside = new Uint8Array(strides[2] * size[2]);
    visit((voxel) => {
      inside[voxel.reduce((at, place, axis) => at + (place - low[axis] + 1) * strides[axis], 0)] = 1;
    });
    return { first: low.map((place) => place - 1), size, strides, inside };
  };

  const smooth = (points, triangles) => {
    for (let step = 0; step < SMOOTHING_STEPS; step += 1) {
      const sums = new Float32Array(points.length);
      const counts = new Uint16Array(points.length / 3);
      for (let at = 0; at < triangles.length; at += 3) {
        for (let corner = 0; corner < 3; corner += 1) {
          const here = triangles[at + corner];
          const next = triangles[at + ((corner + 1) % 3)];
          counts[here] += 1;
          for (let axis = 0; axis < 3; axis += 1) sums[3 * here + axis] += points[3 * next + axis];
        }
      }
      for (let at = 0; at < points.length; at += 1) {
        const count = counts[Math.floor(at / 3)];
        if (count) points[at] += 0.5 * (sums[at] / count - points[at]);
      }
    }
  };

  // Returns the points in mm and the triangles of the border of a structure; null if no voxel is inside.
  // values: voxels, dims[0] * dims[1] * dims[2]. affine: voxel to mm. step: only every step-th voxel is used.
  return (values, dims, isInside, affine, step = 1) => {
    const box = cropped(values, dims, isInside, step);
    if (!box) return null;
    const { first, size, strides, inside } = box;
    const offsets = CORNERS.map((corner) => corner.reduce((at, place, axis) => at + place * strides[axis], 0));
    const pointOf = new Int32Array(inside.length).fill(-1);
    const points = [];
    const triangles = [];
    for (let z = 0; z < size[2] - 1; z += 1)
      for (let y = 0; y < size[1] - 1; y += 1)
        for (let x = 0; x < size[0] - 1; x += 1) {
          const at = x + y * strides[1] + z * strides[2];
          const count = offsets.reduce((sum, offset) => sum + inside[at + offset], 0);
          if (count === 0 || count === 8) continue;
          const crossed = EDGES.filter(([from, to]) => inside[at + offsets[from]] !== inside[at + offsets[to]]);
          pointOf[at] = points.length / 3;
          [x, y, z].forEach((place, axis) => {
            const sum = crossed.reduce((total, [from, to]) => total + CORNERS[from][axis] + CORNERS[to][axis], 0);
            points.push(place + sum / (2 * crossed.length));
          });
        }
    for (let at = 0; at < inside.length; at += 1)
      for (let axis = 0; axis < 3; axis += 1) {
        if (at + strides[axis] >= inside.length || inside[at] === inside[at + strides[axis]]) continue;
        const [u, v] = [strides[(axis + 1) % 3], strides[(axis + 2) % 3]];
        const [a, b, c, d] = [at - u - v, at - v, at, at - u].map((cell) => pointOf[cell]);
        triangles.push(...(inside[at] ? [a, b, c, a, c, d] : [a, c, b, a, d, c]));
      }
    smooth(points, triangles);
    const positions = new Float32Array(points.length);
    for (let at = 0; at < points.length; at += 3) {
      const voxel = [0, 1, 2].map((axis) => step * (points[at + axis] + first[axis]));
      for (let row = 0; row < 3; row += 1) {
        positions[at + row] = affine[row][3] + voxel.reduce((sum, place, axis) => sum + affine[row][axis] * place, 0);
      }
    }
    const [[a, b, c], [d, e, f], [g, h, i]] = affine;
    if (a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g) < 0) {
      for (let at = 0; at < triangles.length; at += 3) {
        [triangles[at], triangles[at + 1]] = [triangles[at + 1], triangles[at]];
      }
    }
    return { positions, triangles: new Uint32Array(triangles) };
  };
})();
