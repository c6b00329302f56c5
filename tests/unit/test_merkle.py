"""Trees and proofs are those of RFC 6962, and an independent library agrees."""

from __future__ import annotations

import random

import pymerkle
import pytest

from consent.core.merkle import (
    EMPTY_ROOT,
    Frontier,
    hash_leaf,
    hash_node,
    hash_ranges,
    is_consistent,
    is_included,
    list_consistency_ranges,
    list_full_ranges,
    list_inclusion_ranges,
)

SIZE = 2000
# The entries and roots that Certificate Transparency's own implementations test themselves with.
ENTRIES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


@pytest.fixture(scope="module")
def oracle():
    tree = pymerkle.InmemoryTree(algorithm="sha256")
    for number in range(SIZE):
        tree.append_entry(number.to_bytes(4))
    return tree


@pytest.fixture(scope="module")
def leaves():
    return [hash_leaf(number.to_bytes(4)) for number in range(SIZE)]


def find_root(leaves):
    frontier = Frontier()
    for leaf in leaves:
        frontier.append(leaf)
    return frontier.root()


def prove_inclusion(leaves, index, size):
    ranges = list_inclusion_ranges(index, size)
    hashes = hash_ranges(leaves, ranges)
    return [hashes[each] for each in ranges]


def prove_consistency(leaves, old_size, size):
    ranges = list_consistency_ranges(old_size, size)
    hashes = hash_ranges(leaves, ranges)
    return [hashes[each] for each in ranges]


def test_roots_are_those_of_certificate_transparency():
    leaves = [hash_leaf(bytes.fromhex(entry)) for entry in ENTRIES]

    assert [find_root(leaves[:size]).hex() for size in range(9)] == ROOTS


def test_root_is_the_oracle_s_at_every_size(oracle, leaves):
    frontier = Frontier()
    found = [frontier.root()]
    for leaf in leaves:
        frontier.append(leaf)
        found.append(frontier.root())

    assert found == [oracle.get_root(size) for size in range(SIZE + 1)]


def test_frontier_goes_on_from_its_hashes_at_every_size(leaves):
    whole = Frontier()
    for leaf in leaves[:300]:
        resumed = Frontier(whole.size, whole.hashes)
        whole.append(leaf)
        resumed.append(leaf)

        assert (resumed.size, resumed.hashes) == (whole.size, whole.hashes)


def test_frontier_of_another_size_is_refused():
    with pytest.raises(ValueError, match=r"^A tree of 6 leaves has 2 full subtrees, got 3\.$"):
        Frontier(6, [b"", b"", b""])


def test_full_ranges_are_what_the_hashes_of_a_frontier_cover(leaves):
    for size in range(130):
        frontier = Frontier()
        for leaf in leaves[:size]:
            frontier.append(leaf)

        assert frontier.hashes == tuple(find_root(leaves[each.start : each.stop]) for each in list_full_ranges(size))


def test_paths_are_those_of_the_example_in_the_standard():
    """RFC 6962 section 2.1.3, seven leaves; the letters are the standard's."""
    nodes = {"b": range(1, 2), "c": range(2, 3), "d": range(3, 4), "f": range(5, 6), "j": range(6, 7)}
    nodes |= {"g": range(2), "h": range(2, 4), "i": range(4, 6), "k": range(4), "l": range(4, 7)}
    letters = {each: letter for letter, each in nodes.items()}

    inclusion = {index: "".join(letters[each] for each in list_inclusion_ranges(index, 7)) for index in (0, 3, 4, 6)}
    consistency = {size: "".join(letters[each] for each in list_consistency_ranges(size, 7)) for size in (3, 4, 6)}

    assert inclusion == {0: "bhl", 3: "cgl", 4: "fjk", 6: "ik"}
    assert consistency == {3: "cdgl", 4: "l", 6: "ijk"}


def test_inclusion_proof_is_the_oracle_s_for_every_place_of_small_trees(oracle, leaves):
    for size in range(1, 50):
        for index in range(size):
            # The oracle's begins with the leaf itself.
            assert prove_inclusion(leaves, index, size) == oracle.prove_inclusion(index + 1, size).path[1:]


def test_inclusion_proof_is_the_oracle_s_for_samples_up_to_full_size(oracle, leaves):
    chance = random.Random(6962)
    for size in chance.sample(range(50, SIZE + 1), 150):
        index = chance.randrange(size)
        path = prove_inclusion(leaves, index, size)

        assert path == oracle.prove_inclusion(index + 1, size).path[1:]
        assert is_included(leaves[index], index=index, size=size, path=path, root=oracle.get_root(size))


def test_consistency_proof_holds_the_oracle_s_roots_together(oracle, leaves):
    chance = random.Random(9162)
    for size in [*range(1, 34), *chance.sample(range(34, SIZE + 1), 150)]:
        old_size = chance.randint(1, size)
        path = prove_consistency(leaves, old_size, size)

        assert is_consistent(
            old_size=old_size,
            old_root=oracle.get_root(old_size),
            size=size,
            root=oracle.get_root(size),
            path=path,
        )


def test_proof_for_another_place_or_size_or_with_another_path_proves_nothing(leaves):
    size, index = 21, 18
    root, path = find_root(leaves[:size]), prove_inclusion(leaves, index, size)
    leaf = leaves[index]

    assert is_included(leaf, index=index, size=size, path=path, root=root)
    assert not any(
        is_included(leaf, index=each, size=size, path=path, root=root) for each in range(-2, 40) if each != index
    )
    # Of the greater sizes, some have the same way from this place to the top; their roots are others.
    assert not any(is_included(leaf, index=index, size=each, path=path, root=root) for each in range(index + 1))
    assert not is_included(leaves[0], index=index, size=size, path=path, root=root)
    for other in (path[1:], path[:-1], [*path, leaf], path[::-1], []):
        assert not is_included(leaf, index=index, size=size, path=other, root=root)


def test_node_is_no_leaf():
    """T110: a hash of two hashes, offered as an entry, has no place in the tree."""
    leaves = [hash_leaf(bytes([number])) for number in range(4)]
    root, node = find_root(leaves), hash_node(leaves[0], leaves[1])
    path = [hash_node(leaves[2], leaves[3])]

    assert hash_node(node, *path) == root
    assert not any(is_included(node, index=index, size=4, path=path, root=root) for index in range(4))
    assert hash_leaf(leaves[0] + leaves[1]) != node


def test_consistency_with_another_size_root_or_path_is_none(leaves):
    old_size, size = 6, 21
    old_root, root = find_root(leaves[:old_size]), find_root(leaves[:size])
    path = prove_consistency(leaves, old_size, size)

    def holds(**changes):
        values = {"old_size": old_size, "old_root": old_root, "size": size, "root": root, "path": path}
        return is_consistent(**(values | changes))

    assert holds()
    assert not any(holds(old_size=each) for each in range(40) if each != old_size)
    assert not holds(old_root=leaves[0])
    assert not holds(root=leaves[0])
    assert not any(holds(path=each) for each in (path[1:], path[:-1], [*path, root], path[::-1], []))


def test_changed_beginning_has_no_consistency_proof(leaves):
    old_root = find_root(leaves[:6])
    rewritten = [hash_leaf(b"another"), *leaves[1:21]]

    assert not is_consistent(
        old_size=6,
        old_root=old_root,
        size=21,
        root=find_root(rewritten),
        path=prove_consistency(rewritten, 6, 21),
    )


@pytest.mark.parametrize(("old_size", "size"), [(0, 0), (0, 5), (5, 5)])
def test_same_or_empty_beginning_needs_no_proof(leaves, old_size, size):
    old_root, root = find_root(leaves[:old_size]), find_root(leaves[:size])

    assert list_consistency_ranges(old_size, size) == ()
    assert is_consistent(old_size=old_size, old_root=old_root, size=size, root=root, path=())
    assert not is_consistent(old_size=old_size, old_root=old_root, size=size, root=root, path=(root,))
    assert not is_consistent(old_size=old_size, old_root=leaves[9], size=size, root=root, path=())


def test_no_leaf_is_in_the_empty_tree(leaves):
    assert not is_included(leaves[0], index=0, size=0, path=(), root=EMPTY_ROOT)


def test_ranges_beyond_the_leaves_are_refused(leaves):
    with pytest.raises(ValueError, match=r"^There are 5 leaves, and a proof needs 8\.$"):
        hash_ranges(leaves[:5], list_inclusion_ranges(0, 8))
