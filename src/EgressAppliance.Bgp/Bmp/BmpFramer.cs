using System.Buffers.Binary;

namespace EgressAppliance.Bgp.Bmp;

/// <summary>Finds messages in a byte stream and checks their common headers (RFC 7854 section 4.1).</summary>
public static class BmpFramer
{
    /// <summary>
    /// Looks at the start of <paramref name="input"/>. False: more octets are needed; <paramref name="length"/> then says how many the message has in
    /// all, or 0 while that is not known. True: a whole message is there (<paramref name="length"/> octets with its header), or
    /// <paramref name="error"/> says what is wrong with the header. A header error is told as soon as the octets that show it are there.
    /// </summary>
    /// <remarks>Unknown message types are framed like known ones: they have a length, so they can be passed over.</remarks>
    public static bool TryReadHeader(ReadOnlySpan<byte> input, int maxLength, out BmpMessageType type, out int length, out BmpError? error)
    {
        type = default;
        length = 0;
        error = null;
        if (input.IsEmpty)
        {
            return false;
        }

        if (input[0] != BmpConstants.Version)
        {
            error = new(BmpErrorKind.Version, $"version {input[0]} is not supported, or this is not BMP");
            return true;
        }

        if (input.Length < BmpConstants.HeaderLength)
        {
            return false;
        }

        uint told = BinaryPrimitives.ReadUInt32BigEndian(input[1..]);
        type = (BmpMessageType)input[5];
        if (told < BmpConstants.HeaderLength || told > (uint)maxLength)
        {
            error = new(BmpErrorKind.Length, $"a message of {told} octets; at least {BmpConstants.HeaderLength} and at most {maxLength} are taken");
            return true;
        }

        length = (int)told;
        return input.Length >= length;
    }
}
