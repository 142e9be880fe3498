using System.Runtime.InteropServices;

namespace EgressAppliance.Fuzz.Running;

/// <summary>
/// A 64-bit hash over what a target observed, the same in every run and on every machine (the framework's HashCode is seeded anew in
/// each process). Not cryptographic: it is there to notice differences.
/// </summary>
public struct Digest
{
    private const ulong Multiplier = 0x9E37_79B9_7F4A_7C15;
    private ulong _state;

    /// <summary>The hash so far.</summary>
    public readonly ulong Value => _state;

    /// <summary>The hash of some octets.</summary>
    public static ulong Of(ReadOnlySpan<byte> octets)
    {
        Digest digest = default;
        digest.Add(octets);
        return digest.Value;
    }

    /// <summary>The hash of a text.</summary>
    public static ulong Of(string text)
    {
        Digest digest = default;
        digest.Add(text);
        return digest.Value;
    }

    /// <summary>Mixes a number in.</summary>
    public void Add(ulong value)
    {
        _state = (ulong.RotateLeft(_state, 23) ^ value) * Multiplier;
        _state ^= _state >> 29;
    }

    /// <summary>Mixes a number in.</summary>
    public void Add(long value) => Add((ulong)value);

    /// <summary>Mixes a truth value in.</summary>
    public void Add(bool value) => Add(value ? 1UL : 2UL);

    /// <summary>Mixes octets in, and how many they are.</summary>
    public void Add(ReadOnlySpan<byte> octets)
    {
        Add((ulong)octets.Length);
        while (octets.Length >= sizeof(ulong))
        {
            Add(System.Buffers.Binary.BinaryPrimitives.ReadUInt64LittleEndian(octets));
            octets = octets[sizeof(ulong)..];
        }

        foreach (byte octet in octets)
        {
            Add((ulong)octet);
        }
    }

    /// <summary>Mixes a text in.</summary>
    public void Add(string text) => Add(MemoryMarshal.AsBytes(text.AsSpan()));
}
