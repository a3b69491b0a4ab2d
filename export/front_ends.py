"""The pixel front ends: small ONNX graphs that come before the networks and take the photo as it is.

Each takes `image`, uint8 [H, W, 3], RGB, and makes its network's input: float32 [N, 3, h, w]. They are written in ONNX's text form.
Frame: pixel coordinates, origin top left, x right, y down, with the centre of the first pixel at 0 (and its corner at -0.5).
Nothing aliases: everything that shrinks is averaged over the area it covers. `exact=True` uses the arithmetic of the mtcnn package
instead, for the parity tests.
"""

from __future__ import annotations

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import parser

OPSET = 18
IR_VERSION = 8

# MTCNN was trained on (x - 127.5) / 128, so 0 is middle grey: everything outside the photo is grey.
_GREY = """
    middle = Constant<value_float = 127.5>()
    span = Constant<value_float = 128.0>()
"""

# Half of P-Net's 12 x 12 window: added on every side of every pyramid level, so that a face of any size may
# be cut in half by the frame and still fill a window.
PNET_PADDING = 6


def pnet_front_end(exact: bool = False) -> onnx.ModelProto:
    """image, size int64 [2] (h, w) -> x [1, 3, h + 12, w + 12]: the photo shrunk to a pyramid level, with a grey frame.

    It also gives `level`, uint8 [h, w, 3], the shrunk photo, from which a smaller level can be made cheaply. Shrinking is linear
    with antialiasing: a triangle filter as wide as two pixels of the level. With `exact`, it is TensorFlow's AREA (each level pixel
    is the mean of the area it covers), made of two products with matrices of overlaps, without a frame and without `level`.
    """
    return _parse(f"""
    pnet_front (uint8[H, W, 3] image, int64[2] size) => (float[1, 3, h, w] x{"" if exact else ", uint8[h, w, 3] level"})
    {{
        {_GREY}
        batch = Constant<value_ints = [0]>()
        planes = Transpose<perm = [2, 0, 1]>(image)
        pixels = Cast<to = 1>(planes)
        photo = Unsqueeze(pixels, batch)
        {_AREA if exact else _ANTIALIASED}
        centred = Sub(shrunk, middle)
        normal = Div(centred, span)
        {"x = Identity(normal)" if exact else _PADDED_WITH_LEVEL}
    }}
    """)


_PADDED_WITH_LEVEL = f"""
        pads = Constant<value_ints = [0, 0, {PNET_PADDING}, {PNET_PADDING}, 0, 0, {PNET_PADDING}, {PNET_PADDING}]>()
        x = Pad(normal, pads)
        rounded = Round(shrunk)
        bytes = Cast<to = 2>(rounded)
        level_planes = Squeeze(bytes, batch)
        level = Transpose<perm = [1, 2, 0]>(level_planes)
"""

_ANTIALIASED = """
        keep = Constant<value_ints = [1, 3]>()
        sizes = Concat<axis = 0>(keep, size)
        shrunk = Resize<mode = "linear", antialias = 1>(photo, , , sizes)
"""


def _overlaps(name: str, whole: str, parts: str) -> str:
    """The lines for `name` [parts, whole]: how much of pixel j lies in part i, as a share of the part's width."""
    return f"""
        {name}_whole = Cast<to = 1>({whole})
        {name}_parts = Cast<to = 1>({parts})
        {name}_width = Div({name}_whole, {name}_parts)
        {name}_pixel = Range(zero, {name}_whole, one)
        {name}_part = Range(zero, {name}_parts, one)
        {name}_row = Unsqueeze({name}_part, last)
        {name}_low = Mul({name}_row, {name}_width)
        {name}_high = Add({name}_low, {name}_width)
        {name}_next = Add({name}_pixel, one)
        {name}_to = Min({name}_high, {name}_next)
        {name}_from = Max({name}_low, {name}_pixel)
        {name}_length = Sub({name}_to, {name}_from)
        {name}_overlap = Relu({name}_length)
        {name} = Div({name}_overlap, {name}_width)
"""


_AREA = f"""
        zero = Constant<value_float = 0.0>()
        one = Constant<value_float = 1.0>()
        last = Constant<value_ints = [1]>()
        first_index = Constant<value_int = 0>()
        second_index = Constant<value_int = 1>()
        shape = Shape(image)
        height = Gather(shape, first_index)
        width = Gather(shape, second_index)
        level_height = Gather(size, first_index)
        level_width = Gather(size, second_index)
        {_overlaps("rows", "height", "level_height")}
        {_overlaps("columns", "width", "level_width")}
        columns_across = Transpose<perm = [1, 0]>(columns)
        shrunk_rows = MatMul(rows, photo)
        shrunk = MatMul(shrunk_rows, columns_across)
"""


def crop_front_end(size: int, exact: bool = False) -> onnx.ModelProto:
    """image, boxes float32 [N, 4] (x1 y1 x2 y2) -> x [N, 3, size, size]: each box cut out of the photo and shrunk.

    Sample i of a crop lies at x1 + i (x2 - x1) / (size - 1), as in TensorFlow's crop_and_resize. Here each sample is the mean of 2
    x 2 bilinear samples around that place, which cover at most 4 x 4 pixels. Larger boxes are therefore cut from a copy of the
    photo that was shrunk 4 or 16 times with a box filter. Everything outside the photo is grey. Only the part of the photo that
    holds the boxes is read. With `exact`, each sample is a single bilinear sample of the photo, at (W - 1) / W of that place, as
    the package computes it.
    """
    return _parse(f"""
    crop_front (uint8[H, W, 3] image, float[N, 4] boxes) => (float[N, 3, {size}, {size}] x)
    {{
        {_GREY}
        batch = Constant<value_ints = [0]>()
        across = Constant<value_ints = [1]>()
        half = Constant<value_float = 0.5>()
        intervals = Constant<value_float = {size - 1}.0>()
        two = Constant<value_ints = [2, 2]>()

        {_PACKAGE_PLACES if exact else "placed = Identity(boxes)"}
        left_top, right_bottom = Split<axis = 1>(placed, two)
        {_PART_WITH_BOXES}
        planes = Transpose<perm = [2, 0, 1]>(part)
        pixels = Cast<to = 1>(planes)
        photo_pixels = Unsqueeze(pixels, batch)
        photo = Sub(photo_pixels, middle)

        extent = Sub(right_bottom, left_top)
        spacing = Div(extent, intervals)
        reach = Mul(spacing, half)
        low_corner = Sub(left_top, reach)
        high_corner = Add(right_bottom, reach)
        photo_corners = Concat<axis = 1>(low_corner, high_corner)
        centred_corners = Add(photo_corners, half)
        corners = Sub(centred_corners, origins)
        {_one_level(size) if exact else _three_levels(size)}
        x = Div(crops, span)
    }}
    """)


# The part of the photo that holds all boxes and a margin; it begins at a multiple of 16, so that the shrunk photos
# are the same whatever the other boxes are.
_PART_WITH_BOXES = """
        shape = Shape(image)
        shape_start = Constant<value_ints = [0]>()
        shape_end = Constant<value_ints = [2]>()
        photo_size = Slice(shape, shape_start, shape_end)
        nowhere = Constant<value_ints = [0, 0]>()
        one_pixel = Constant<value_ints = [1, 1]>()
        part_axes = Constant<value_ints = [0, 1]>()
        swap = Constant<value_ints = [1, 0]>()
        grid = Constant<value_ints = [16, 16]>()
        margin = Constant<value_ints = [32, 32]>()
        least = ReduceMin<keepdims = 0>(left_top, batch)
        most = ReduceMax<keepdims = 0>(right_bottom, batch)
        least_floor = Floor(least)
        most_ceil = Ceil(most)
        least_pixel = Cast<to = 7>(least_floor)
        most_pixel = Cast<to = 7>(most_ceil)
        least_yx = Gather(least_pixel, swap)
        most_yx = Gather(most_pixel, swap)
        least_far = Sub(least_yx, margin)
        most_far = Add(most_yx, margin)
        last_pixel = Sub(photo_size, one_pixel)
        start_inside = Max(least_far, nowhere)
        start_before_end = Min(start_inside, last_pixel)
        start_step = Div(start_before_end, grid)
        start = Mul(start_step, grid)
        after_start = Add(start, one_pixel)
        end_inside = Min(most_far, photo_size)
        end = Max(end_inside, after_start)
        part = Slice(image, start, end, part_axes)
        origin_yx = Cast<to = 1>(start)
        origin = Gather(origin_yx, swap)
        origins = Concat<axis = 0>(origin, origin)
"""

_PACKAGE_PLACES = """
        whole_shape = Shape(image)
        size_order = Constant<value_ints = [1, 0, 1, 0]>()
        size_index = Gather(whole_shape, size_order)
        sizes = Cast<to = 1>(size_index)
        one = Constant<value_float = 1.0>()
        last_pixels = Sub(sizes, one)
        share = Div(last_pixels, sizes)
        placed = Mul(boxes, share)
"""


def _roi_align(image: str, boxes: str, first: str, scale: float, samples: int, size: int) -> str:
    """Lines in which each bin of a box is the mean of samples x samples bilinear ones; `first` holds zeros: there is one image."""
    return f"""RoiAlign<mode = "avg", coordinate_transformation_mode = "half_pixel", sampling_ratio = {samples},
                         output_height = {size}, output_width = {size}, spatial_scale = {scale}>({image}, {boxes}, {first})"""


def _one_level(size: int) -> str:
    return f"""
        widest = ReduceMax<keepdims = 0>(spacing, across)
        whole = Cast<to = 7>(widest)
        first = Sub(whole, whole)
        crops = {_roi_align("photo", "corners", "first", 1.0, 1, size)}
    """


def _three_levels(size: int) -> str:
    """Lines for crops [N, 3, size, size], each cut from the photo or from one of its two shrunk copies.

    RoiAlign repeats an image's edge for one more pixel, which in a shrunk copy is 4 or 16 pixels of the photo. Grey frames hide
    that.
    """
    return f"""
        quarter = AveragePool<kernel_shape = [4, 4], strides = [4, 4], ceil_mode = 1>(photo)
        sixteenth = AveragePool<kernel_shape = [4, 4], strides = [4, 4], ceil_mode = 1>(quarter)
        frame = Constant<value_ints = [0, 0, 1, 1, 0, 0, 1, 1]>()
        framed_quarter = Pad(quarter, frame)
        framed_sixteenth = Pad(sixteenth, frame)
        nothing = Constant<value_float = 0.0>()
        four = Constant<value_float = 4.0>()
        sixteen = Constant<value_float = 16.0>()
        widest = ReduceMax<keepdims = 0>(spacing, across)
        coarse = GreaterOrEqual(widest, four)
        coarser = GreaterOrEqual(widest, sixteen)
        is_full = Not(coarse)
        is_quarter = Xor(coarse, coarser)
        is_sixteenth = Identity(coarser)
        {_cut_from("photo", "full", "nothing", 1.0, size)}
        {_cut_from("framed_quarter", "quarter", "four", 0.25, size)}
        {_cut_from("framed_sixteenth", "sixteenth", "sixteen", 0.0625, size)}
        sorted = Concat<axis = 0>(full_crops, quarter_crops, sixteenth_crops)
        places = Concat<axis = 0>(full_boxes, quarter_boxes, sixteenth_boxes)
        crops = ScatterND(sorted, places, sorted)
    """


def _cut_from(image: str, level: str, frame: str, scale: float, size: int) -> str:
    """Lines for `level`_crops [n, 3, size, size]: crops of the boxes for which is_`level` [N] is true.

    `level`_boxes [n, 1] holds the indices of those boxes. frame: the width of what was added around the image, in pixels of the
    photo. scale: the pixels of the image in one pixel of the photo.
    """
    return f"""
        {level}_index = NonZero(is_{level})
        {level}_boxes = Transpose<perm = [1, 0]>({level}_index)
        {level}_corners = GatherND(corners, {level}_boxes)
        {level}_rois = Add({level}_corners, {frame})
        {level}_row = Squeeze({level}_boxes, across)
        {level}_first = Sub({level}_row, {level}_row)
        {level}_crops = {_roi_align(image, f"{level}_rois", f"{level}_first", scale, 2, size)}
    """


def chip_front_end(size: int) -> onnx.ModelProto:
    """image, transforms float32 [N, 2, 3] (chip to photo) -> chips uint8 [N, size, size, 3] and x float32 [N, 3, size, size].

    Chip pixel (i, j) shows the photo at transform @ (i, j, 1), bilinearly sampled, and is black outside the photo. If a face is
    larger than the chip, the part of the photo around it is first shrunk to the chip's scale (cubic, antialiased). Cubic keeps more
    detail than linear, whose blur would add to that of the bilinear samples. It can overshoot, so its result is clipped.
    """
    line, last = np.arange(size), size - 1
    one, zero = np.ones(size), np.zeros(size)
    # The place of (i, j) is the place of (i, 0) and j steps down, so the grid is a product of two small matrices:
    # `steps` [size, 2] and, from the transform, [2, size * 2]. Sums over [size, size, 2] took longer than the sampling.
    top_row, one_down = np.stack([line, zero, one], axis=1), np.stack([zero, one, zero], axis=1)
    return _parse(f"""
    chip_front (uint8[H, W, 3] image, float[N, 2, 3] transforms)
        => (uint8[N, {size}, {size}, 3] chips, float[N, 3, {size}, {size}] x)
    {{
        corners = {_table(np.array([[0, 0, 1], [last, 0, 1], [0, last, 1], [last, last, 1]]))}
        top_row_and_step = {_table(np.concatenate([top_row, one_down]))}
        steps = {_table(np.stack([one, line], axis=1))}
        product_shape = Constant<value_ints = [2, {2 * size}]>()
        grid_shape = Constant<value_ints = [1, {size}, {size}, 2]>()

        zero_index = Constant<value_ints = [0]>()
        first = Constant<value_ints = [0]>()
        second = Constant<value_ints = [1]>()
        third = Constant<value_ints = [2]>()
        turn_and_shift = Constant<value_ints = [2, 1]>()
        one = Constant<value_float = 1.0>()
        two = Constant<value_float = 2.0>()
        half = Constant<value_float = 0.5>()
        margin = Constant<value_float = 2.0>()
        image_shape = Shape(image)
        plane_size = Slice(image_shape, first, third)
        axes = Constant<value_ints = [0, 1]>()
        swap = Constant<value_ints = [1, 0]>()
        lowest = Constant<value_ints = [0, 0]>()
        single = Constant<value_ints = [1, 1]>()
        last_pixel = Sub(plane_size, single)

        faces_shape = Shape<start = 0, end = 1>(transforms)
        faces = Squeeze(faces_shape)
        go = Constant<value = bool {{1}}>()
        planes = Loop<body = one_chip (int64 face, bool still) => (bool again, float[3, {size}, {size}] plane)
        {{
            again = Identity(still)
            transform = Gather<axis = 0>(transforms, face)
            across = Transpose<perm = [1, 0]>(transform)
            points = MatMul(corners, across)

            column_x = Slice(across, first, second)
            stretch = ReduceL2<keepdims = 0>(column_x)
            shrink = Max(stretch, one)

            point_low = ReduceMin<keepdims = 0>(points, zero_index)
            point_high = ReduceMax<keepdims = 0>(points, zero_index)
            reach = Mul(shrink, margin)
            low_real = Sub(point_low, reach)
            high_real = Add(point_high, reach)
            low_floor = Floor(low_real)
            high_ceil = Ceil(high_real)
            low_xy = Cast<to = 7>(low_floor)
            high_xy = Cast<to = 7>(high_ceil)
            low_yx = Gather(low_xy, swap)
            high_yx = Gather(high_xy, swap)
            low_least = Max(low_yx, lowest)
            low = Min(low_least, last_pixel)
            after_low = Add(low, single)
            high_most = Min(high_yx, plane_size)
            high = Max(high_most, after_low)

            part = Slice(image, low, high, axes)
            part_size = Sub(high, low)
            part_real = Cast<to = 1>(part_size)
            shrunk_real = Div(part_real, shrink)
            shrunk_ceil = Ceil(shrunk_real)
            shrunk_size = Cast<to = 7>(shrunk_ceil)
            keep = Constant<value_ints = [1, 3]>()
            sizes = Concat<axis = 0>(keep, shrunk_size)
            part_planes = Transpose<perm = [2, 0, 1]>(part)
            part_pixels = Cast<to = 1>(part_planes)
            part_batch = Unsqueeze(part_pixels, zero_index)
            shrunk = Resize<mode = "cubic", antialias = 1>(part_batch, , , sizes)

            low_real_yx = Cast<to = 1>(low)
            origin = Gather(low_real_yx, swap)
            extent = Gather(part_real, swap)
            half_extent = Div(extent, two)
            centre = Add(origin, half_extent)
            middle = Sub(centre, half)
            linear, shift = Split<axis = 0>(across, turn_and_shift)
            from_middle = Sub(shift, middle)
            from_there = Concat<axis = 0>(linear, from_middle)
            to_grid = Div(from_there, half_extent)
            row_and_step = MatMul(top_row_and_step, to_grid)
            factors = Reshape(row_and_step, product_shape)
            grid_rows = MatMul(steps, factors)
            grid = Reshape(grid_rows, grid_shape)
            warped = GridSample<mode = "bilinear", padding_mode = "zeros", align_corners = 0>(shrunk, grid)
            plane = Squeeze(warped, zero_index)
        }}>(faces, go)
        black = Constant<value_float = 0.0>()
        white = Constant<value_float = 255.0>()
        possible = Clip(planes, black, white)
        rounded = Round(possible)
        x = Identity(rounded)
        bytes = Cast<to = 2>(rounded)
        chips = Transpose<perm = [0, 2, 3, 1]>(bytes)
    }}
    """)


def _table(numbers: NDArray[np.floating]) -> str:
    """A float32 constant of a graph, with the array's shape."""
    shape, values = (", ".join(str(number) for number in row) for row in (numbers.shape, numbers.ravel().tolist()))
    return f"Constant<value = float[{shape}] {{{values}}}>()"


def _parse(graph: str) -> onnx.ModelProto:
    return parser.parse_model(f'<ir_version: {IR_VERSION}, opset_import: ["" : {OPSET}]>\n{graph}')
