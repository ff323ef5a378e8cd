"""Makes a llama model of random weights, small enough to load at once: llama.py FILE

Its vocabulary is bytes and a few words, as a SentencePiece tokenizer has them.
"""

import sys

import gguf
import numpy

WIDTH, LAYERS, HEADS, INNER, CONTEXT = 64, 2, 4, 128, 1024
random = numpy.random.default_rng(7)


def vocabulary():
    """Tokens, their scores and their types: specials, 256 bytes, letters and words."""
    kind = gguf.TokenType
    tokens = [(b"<unk>", 0.0, kind.UNKNOWN), (b"<s>", 0.0, kind.CONTROL), (b"</s>", 0.0, kind.CONTROL)]
    tokens += [(f"<0x{byte:02X}>".encode(), 0.0, kind.BYTE) for byte in range(256)]
    words = ["\u2581"] + [chr(code) for code in range(97, 123)] + ["\u2581the", "\u2581day", "\u2581ñandú", "ing", "er"]
    tokens += [(word.encode(), -float(place), kind.NORMAL) for place, word in enumerate(words)]
    return tokens


def weights(*shape):
    return (random.standard_normal(shape) * 0.05).astype(numpy.float32)


def main(path):
    tokens = vocabulary()
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name("tiny")
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(WIDTH // HEADS)
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("llama")
    writer.add_token_list([text for text, _, _ in tokens])
    writer.add_token_scores([score for _, score, _ in tokens])
    writer.add_token_types([kind for _, _, kind in tokens])
    writer.add_unk_token_id(0)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    embedding = weights(len(tokens), WIDTH)
    embedding[:, 0] = 2
    writer.add_tensor("token_embd.weight", embedding)
    writer.add_tensor("output_norm.weight", numpy.ones(WIDTH, numpy.float32))
    # One dimension says the same of each token, so that words and the end win over bytes, which would be broken UTF-8.
    output = weights(len(tokens), WIDTH) * 4
    output[:, 0] = 0
    output[: 3 + 256, 0] = -5
    output[2, 0] = 0
    writer.add_tensor("output.weight", output)
    for layer in range(LAYERS):
        name = f"blk.{layer}."
        for norm in ("attn_norm", "ffn_norm"):
            writer.add_tensor(f"{name}{norm}.weight", numpy.ones(WIDTH, numpy.float32))
        for part in ("attn_q", "attn_k", "attn_v", "attn_output"):
            writer.add_tensor(f"{name}{part}.weight", weights(WIDTH, WIDTH))
        writer.add_tensor(f"{name}ffn_gate.weight", weights(INNER, WIDTH))
        writer.add_tensor(f"{name}ffn_up.weight", weights(INNER, WIDTH))
        writer.add_tensor(f"{name}ffn_down.weight", weights(WIDTH, INNER))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


main(sys.argv[1])
