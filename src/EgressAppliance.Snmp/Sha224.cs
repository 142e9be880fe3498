using System.Buffers.Binary;
using System.Numerics;
using System.Security.Cryptography;

namespace EgressAppliance.Snmp;

/// <summary>
/// SHA-224 (FIPS 180-4 section 6.3) and its HMAC (RFC 2104). The framework has every other digest of RFC 7860, but not this one, and a
/// library of cryptography for the sake of one digest would be the larger thing to keep.
/// </summary>
internal static class Sha224
{
    public const int DigestBytes = 28;

    private const int BlockBytes = 64;

    // FIPS 180-4 section 5.3.2: the second 32 bits of the fractions of the square roots of the 9th to 16th primes.
    private static readonly uint[] Start =
        [0xc1059ed8, 0x367cd507, 0x3070dd17, 0xf70e5939, 0xffc00b31, 0x68581511, 0x64f98fa7, 0xbefa4fa4];

    private static readonly uint[] Constants = MakeConstants();

    public static void HashData(ReadOnlySpan<byte> data, Span<byte> digest) => HashData(data, [], digest);

    public static void Hmac(ReadOnlySpan<byte> key, ReadOnlySpan<byte> data, Span<byte> digest)
    {
        Span<byte> pad = stackalloc byte[BlockBytes];
        pad.Clear();
        if (key.Length > BlockBytes)
        {
            HashData(key, pad[..DigestBytes]);
        }
        else
        {
            key.CopyTo(pad);
        }

        Span<byte> inner = stackalloc byte[DigestBytes];
        Xor(pad, 0x36);
        HashData(pad, data, inner);
        Xor(pad, 0x36 ^ 0x5c);
        HashData(pad, inner, digest);
        CryptographicOperations.ZeroMemory(pad);
    }

    private static void Xor(Span<byte> bytes, byte with)
    {
        foreach (ref byte b in bytes)
        {
            b ^= with;
        }
    }

    /// <summary>The digest of two pieces in a row; the first must be whole blocks if there is a second.</summary>
    private static void HashData(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, Span<byte> digest)
    {
        Span<uint> state = stackalloc uint[8];
        Start.CopyTo(state);
        ReadOnlySpan<byte> rest = Blocks(state, first);
        rest = second.IsEmpty ? rest : Blocks(state, second);

        Span<byte> last = stackalloc byte[2 * BlockBytes];
        last.Clear();
        rest.CopyTo(last);
        last[rest.Length] = 0x80;
        last = last[..(rest.Length < BlockBytes - 8 ? BlockBytes : 2 * BlockBytes)];
        BinaryPrimitives.WriteUInt64BigEndian(last[^8..], 8 * ((ulong)first.Length + (ulong)second.Length));
        Blocks(state, last);
        for (int i = 0; i < DigestBytes / 4; i++)
        {
            BinaryPrimitives.WriteUInt32BigEndian(digest[(4 * i)..], state[i]);
        }

        state.Clear();
    }

    private static ReadOnlySpan<byte> Blocks(Span<uint> state, ReadOnlySpan<byte> data)
    {
        Span<uint> w = stackalloc uint[64];
        for (; data.Length >= BlockBytes; data = data[BlockBytes..])
        {
            for (int t = 0; t < 16; t++)
            {
                w[t] = BinaryPrimitives.ReadUInt32BigEndian(data[(4 * t)..]);
            }

            for (int t = 16; t < 64; t++)
            {
                uint s0 = BitOperations.RotateRight(w[t - 15], 7) ^ BitOperations.RotateRight(w[t - 15], 18) ^ (w[t - 15] >> 3);
                uint s1 = BitOperations.RotateRight(w[t - 2], 17) ^ BitOperations.RotateRight(w[t - 2], 19) ^ (w[t - 2] >> 10);
                w[t] = unchecked(w[t - 16] + s0 + w[t - 7] + s1);
            }

            (uint a, uint b, uint c, uint d) = (state[0], state[1], state[2], state[3]);
            (uint e, uint f, uint g, uint h) = (state[4], state[5], state[6], state[7]);
            for (int t = 0; t < 64; t++)
            {
                uint s1 = BitOperations.RotateRight(e, 6) ^ BitOperations.RotateRight(e, 11) ^ BitOperations.RotateRight(e, 25);
                uint s0 = BitOperations.RotateRight(a, 2) ^ BitOperations.RotateRight(a, 13) ^ BitOperations.RotateRight(a, 22);
                uint t1 = unchecked(h + s1 + ((e & f) ^ (~e & g)) + Constants[t] + w[t]);
                uint t2 = unchecked(s0 + ((a & b) ^ (a & c) ^ (b & c)));
                (h, g, f, e, d, c, b, a) = (g, f, e, unchecked(d + t1), c, b, a, unchecked(t1 + t2));
            }

            ReadOnlySpan<uint> sum = [a, b, c, d, e, f, g, h];
            for (int i = 0; i < 8; i++)
            {
                state[i] = unchecked(state[i] + sum[i]);
            }
        }

        return data;
    }

    /// <summary>FIPS 180-4 section 4.2.2: the first 32 bits of the fractions of the cube roots of the first 64 primes, by exact integers.</summary>
    private static uint[] MakeConstants()
    {
        List<uint> constants = [];
        for (int n = 2; constants.Count < 64; n++)
        {
            bool prime = true;
            for (int d = 2; d * d <= n && prime; d++)
            {
                prime = n % d != 0;
            }

            if (prime)
            {
                // The cube root of n * 2^96 is that of n with 32 bits behind the point.
                BigInteger cube = (BigInteger)n << 96;
                BigInteger root = 0;
                for (int bit = 36; bit >= 0; bit--)
                {
                    BigInteger more = root | (BigInteger.One << bit);
                    root = more * more * more <= cube ? more : root;
                }

                constants.Add((uint)(root & uint.MaxValue));
            }
        }

        return [.. constants];
    }
}
