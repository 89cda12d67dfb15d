"""The fast tier: files whose tests take well under a tenth of a second each, with the words in the names of those that do not.

Every folder of nightfx has some. A file that is not here has none; `pytest -m fast --durations=15` shows what has grown.
"""

FAST: dict[str, str] = {
    # picture
    "test_color.py": "",
    "test_curves.py": "",
    # source
    "test_probe.py": "",
    "test_process.py": "",
    "test_reader.py": "",
    "test_picture.py": "",
    # target, carry, check
    "test_writer.py": "",
    "test_carry.py": "",
    "test_sound.py": "",
    "test_compare.py": "delivery a_part command verification",
    # network
    "test_presets.py": "night_darkens bundled finite are_blue",
    "test_model.py": "bands spectral bf16 table_one",
    # scene, light, apply
    "test_sky.py": "bit_for_bit brighter_than found flickers as_if",
    "test_relight.py": "still_camera after_a_cut",
    "test_steady.py": "24_frames",
    "test_lock.py": "carried on_the_whole",
    "test_field.py": "",
    "test_planes.py": "",
    # job, preview
    "test_pipeline.py": "",
    "test_preview.py": "a_picture a_png not_sdr long_names",
    # batch, farm
    "test_batch.py": "two_batches asked_to_end full_disk folder_is_rendered replaced dead_holder worker_died",
    "test_farm.py": "openjd command opencue refused",
    # training
    "test_feed.py": "",
    "test_listed.py": "run_reads",
    "test_prepare.py": "",
    "test_recipes.py": "",
    "test_targets.py": "",
    "test_training.py": "finite judged_by",
    "test_reproduce.py": "killed together same_folder train_split signs thinning",
    # metrics, quality
    "test_features.py": "kid",
    "test_metrics.py": "flicker drift",
    "test_evaluate.py": "nearer command flickers bad_folders",
    # cli, and the house
    "test_cli.py": "signal exit_3 read_only version_of full_disk presets others own_renders train plain",
    "test_imports.py": "",
    "test_private.py": "",
    "test_fast.py": "",
}


def is_fast(file: str, name: str) -> bool:
    """Whether the test `name` of a file belongs to the fast tier."""
    return file in FAST and not any(word in name for word in FAST[file].split())
