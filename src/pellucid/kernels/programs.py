"""Calls of compiled loops that are written down once and made again and again, without the interpreter.

A program is a table of whole numbers: a row has the address of a loop's machine code and then what the loop is
called with, sizes and addresses of arrays. Who writes one keeps the arrays. Threads that play programs meet after
each call where one makes what the next reads.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from pellucid.kernels.compiled import compiled
from pellucid.types import Array

WIDTH = 28  # numbers of a row: the loop and what it is called with
ROW_BYTES = 8 * WIDTH


def address_of(loop: Any) -> int:
    """Return where the machine code of a compiled loop over one row's numbers is; it is compiled now."""
    kind = (types.intp,)
    loop.compile(kind)
    compiled_loop = loop.overloads[kind]
    address: int = compiled_loop.library.get_pointer_to_function(compiled_loop.fndesc.llvm_func_name)
    return address


def table_of(calls: Sequence[tuple[int, ...]]) -> Array:
    """Return a program: a row for each call, of a loop's address and what it is called with."""
    table = np.zeros((len(calls), WIDTH), np.int64)
    for row, call in zip(table, calls, strict=True):
        row[: len(call)] = call
    return table


def _flat(context: Any, builder: Any, kind: Any, data: Any, size: Any) -> Any:
    """Return a flat array of so many numbers from a pointer on, as the compiler has it."""
    array = context.make_array(kind)(context, builder)
    itemsize = ir.Constant(ir.IntType(64), context.get_abi_sizeof(context.get_data_type(kind.dtype)))
    context.populate_array(
        array, data=data, shape=[size], strides=[itemsize], itemsize=itemsize, meminfo=None
    )
    return array._getvalue()


@intrinsic
def row_at(typing: Any, like: Any, row: Any) -> Any:
    """Return what is at an address as an array of one record, of the dtype ``like``."""
    kind = types.Array(like.dtype, 1, "C")

    def write(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        data = builder.inttoptr(arguments[1], context.get_data_type(kind.dtype).as_pointer())
        return _flat(context, builder, kind, data, ir.Constant(ir.IntType(64), 1))

    return kind(like, types.intp), write


@intrinsic
def array_of(typing: Any, like: Any, row: Any, which: Any, size: Any) -> Any:
    """Return the flat array whose address is a row's number ``which``: so many numbers of the dtype ``like``.

    The address is read as one: the compiler would not see through arithmetic with a number.
    """
    kind = types.Array(like.dtype, 1, "C")

    def write(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = context.get_data_type(kind.dtype).as_pointer()
        place = builder.gep(builder.inttoptr(arguments[1], pointer.as_pointer()), [arguments[2]])
        return _flat(context, builder, kind, builder.load(place), arguments[3])

    return kind(like, types.intp, types.intp, types.intp), write


@intrinsic
def call(typing: Any, row: Any) -> Any:
    """Call the loop whose machine code's address is a row's first number, with the row's address."""

    def write(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        code = context.call_conv.get_function_type(types.none, (types.intp,)).as_pointer()
        loop = builder.load(builder.inttoptr(arguments[0], code.as_pointer()))
        context.call_conv.call_function(builder, loop, types.none, (types.intp,), arguments)
        return context.get_dummy_value()

    return types.none(types.intp), write


@intrinsic
def copy_bytes(typing: Any, to: Any, given: Any, n: Any) -> Any:
    """Copy n bytes from one address to another; from 0: write zeros."""

    def write(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        byte = ir.IntType(8).as_pointer()
        to = builder.inttoptr(arguments[0], byte)
        given = builder.inttoptr(arguments[1], byte)
        n = arguments[2]
        is_zero = builder.icmp_signed("==", arguments[1], ir.Constant(arguments[1].type, 0))
        with builder.if_else(is_zero) as (zeros, numbers):
            with zeros:
                cgutils.memset(builder, to, n, 0)
            with numbers:
                cgutils.raw_memcpy(builder, to, given, n, 1)
        return context.get_dummy_value()

    return types.none(types.intp, types.intp, types.intp), write


class CopyCall(NamedTuple):
    """What ``copy_rows`` is called with: addresses, sizes, and bytes from one row or image to the next."""

    loop: int
    to: int
    given: int  # 0: zeros are written
    n_images: int
    n_rows: int
    n_bytes: int  # of a row
    to_image: int
    to_row: int
    given_image: int
    given_row: int


OF_COPY = np.dtype([(name, np.int64) for name in CopyCall._fields])


@compiled
def copy_rows(row: int) -> None:
    """Copy some rows of each image, or write zeros. Rows of an image may move up within it."""
    of = row_at(OF_COPY, row)[0]
    for i in range(of.n_images):
        for y in range(of.n_rows):
            to = of.to + i * of.to_image + y * of.to_row
            given = of.given + i * of.given_image + y * of.given_row
            copy_bytes(to, given if of.given else 0, of.n_bytes)
