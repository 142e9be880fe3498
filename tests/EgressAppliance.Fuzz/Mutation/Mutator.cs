using System.Buffers.Binary;
using EgressAppliance.Fuzz.Running;

namespace EgressAppliance.Fuzz.Mutation;

/// <summary>Changes inputs, by chance alone. Knows octets; what knows messages is in <see cref="LooseUpdate"/> and the targets.</summary>
public sealed class Mutator(Corpus corpus)
{
    private static readonly byte[] Interesting = [0, 1, 2, 3, 4, 7, 8, 16, 19, 23, 29, 32, 33, 63, 64, 127, 128, 129, 254, 255];
    private static readonly ushort[] InterestingWide = [0, 1, 18, 19, 20, 23, 255, 256, 4077, 4095, 4096, 4097, 32767, 32768, 65534, 65535];

    /// <summary>Where inputs begin.</summary>
    public Corpus Corpus { get; } = corpus;

    /// <summary>The only source of chance.</summary>
    public FuzzRandom Random { get; } = new(0);

    /// <summary>Makes a few changes of any kind at or behind position <paramref name="from"/>.</summary>
    public void Octets(InputBuffer input, int from, int most = 4)
    {
        ArgumentNullException.ThrowIfNull(input);
        for (int i = Random.Between(1, most); i > 0; i--)
        {
            Once(input, from);
        }
    }

    /// <summary>Appends a message, with a bad header now and then.</summary>
    public void Message(InputBuffer input, byte type, ReadOnlySpan<byte> body)
    {
        ArgumentNullException.ThrowIfNull(input);
        Span<byte> header = stackalloc byte[19];
        header[..16].Fill(0xFF);
        int length = 19 + body.Length + (Random.OneIn(64) ? Random.Between(-2, 2) : 0);
        BinaryPrimitives.WriteUInt16BigEndian(header[16..], (ushort)length);
        header[18] = Random.OneIn(128) ? Random.Octet() : type;
        if (Random.OneIn(256))
        {
            header[Random.Below(16)] ^= (byte)(1 << Random.Below(8));
        }

        input.Append(header);
        input.Append(body);
    }

    private void Once(InputBuffer input, int from)
    {
        int size = input.Length - from;
        if (size <= 0)
        {
            input.Append(Random.Octet());
            return;
        }

        int at = from + Random.Below(size);
        Span<byte> octets = input.Span;
        switch (Random.Below(12))
        {
            case 0 or 1 or 2:
                octets[at] ^= (byte)(1 << Random.Below(8));
                break;
            case 3 or 4:
                octets[at] = Random.Pick(Interesting);
                break;
            case 5:
                octets[at] = Random.Octet();
                break;
            case 6:
                // Lengths are small numbers: a step up or down hits them more often than any value would.
                octets[at] += (byte)(Random.OneIn(2) ? 1 : -1);
                break;
            case 7 when at + 1 < input.Length:
                BinaryPrimitives.WriteUInt16BigEndian(octets[at..], Random.Pick(InterestingWide));
                break;
            case 8:
                input.Truncate(at);
                break;
            case 9:
                Span<byte> fresh = stackalloc byte[Random.Between(1, 16)];
                Random.Fill(fresh);
                input.Insert(at, fresh);
                break;
            case 10:
                input.Remove(at, Random.Between(1, Math.Min(16, input.Length - at)));
                break;
            default:
                byte[] copy = octets.Slice(at, Math.Min(octets.Length - at, Random.Between(1, 64))).ToArray();
                input.Insert(from + Random.Below(size), copy);
                break;
        }
    }
}
