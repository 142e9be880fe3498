using System.Buffers.Binary;
using System.Text;
using EgressAppliance.Bgp.Bmp;
using EgressAppliance.Bgp.Mrt;
using EgressAppliance.Bgp.Text;
using EgressAppliance.Bgp.Wire;
using EgressAppliance.Host.Cli;

namespace EgressAppliance.Host;

/// <summary>
/// <c>bgp decode</c>: one JSON object for each BGP or BMP message of a file, binary or as hexadecimal text with one message a line, or for each record of an MRT file.
/// </summary>
public static class BgpDecodeCommand
{
    /// <summary>Runs the command.</summary>
    public static async Task<int> RunAsync(BgpDecodeOptions options, CommandConsole console, CancellationToken cancellationToken)
    {
        try
        {
            await using Stream input = options.File == "-" ? console.OpenInput() : File.OpenRead(options.File);
            return options.Mrt ? await DecodeMrtAsync(input, options.Ebgp, console, cancellationToken)
                : options.Hex ? await DecodeHexAsync(input, Messages(options), console, cancellationToken)
                : await DecodeBinaryAsync(input, Messages(options), console, cancellationToken);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            await console.Error.WriteLineAsync($"bgp decode: {e.Message}");
            return ExitCode.Failed;
        }
    }

    private static MessageFormat Messages(BgpDecodeOptions options)
    {
        if (options.Bmp)
        {
            // The Peer Ups say how the UPDATEs after them are to be read, so one decoder reads the whole file.
            BmpTextDecoder bmp = new();
            return new MessageFormat(
                BmpConstants.HeaderLength, BmpConstants.DefaultMaxMessageLength, header => BinaryPrimitives.ReadUInt32BigEndian(header.Span[1..]),
                message => bmp.ToJson(message.Span));
        }

        BgpCodecOptions codec = new()
        {
            FourOctetAs = !options.As2,
            AddPathIPv4 = options.AddPath,
            AddPathIPv6 = options.AddPath,
            ExtendedNextHop = options.ExtendedNextHop,
            ExtendedMessage = true,
            External = options.Ebgp,
        };
        return new MessageFormat(
            BgpConstants.HeaderLength, BgpConstants.MaxExtendedMessageLength, header => BinaryPrimitives.ReadUInt16BigEndian(header.Span[16..]),
            message => MessageJson.ToJson(message.Span, codec));
    }

    private static async Task<int> DecodeHexAsync(Stream input, MessageFormat format, CommandConsole console, CancellationToken cancellationToken)
    {
        using StreamReader reader = new(input, Encoding.ASCII);
        int result = ExitCode.Done;
        for (int line = 1; await reader.ReadLineAsync(cancellationToken) is { } text; line++)
        {
            string hex = text.Trim();
            if (hex.Length == 0)
            {
                continue;
            }

            byte[] message;
            try
            {
                message = Convert.FromHexString(hex);
            }
            catch (FormatException)
            {
                await console.Error.WriteLineAsync($"bgp decode: line {line} is not hexadecimal");
                result = ExitCode.Failed;
                continue;
            }

            await console.Out.WriteLineAsync(format.ToJson(message));
        }

        return result;
    }

    private static async Task<int> DecodeBinaryAsync(Stream input, MessageFormat format, CommandConsole console, CancellationToken cancellationToken)
    {
        byte[] header = new byte[format.HeaderLength];
        while (true)
        {
            int read = await input.ReadAtLeastAsync(header, header.Length, throwOnEndOfStream: false, cancellationToken);
            if (read == 0)
            {
                return ExitCode.Done;
            }

            long length = read == header.Length ? format.Length(header) : read;
            byte[] message = new byte[Math.Clamp(length, read, format.MaxLength)];
            header.AsSpan(0, read).CopyTo(message);
            int rest = await input.ReadAtLeastAsync(message.AsMemory(read), message.Length - read, throwOnEndOfStream: false, cancellationToken);
            await console.Out.WriteLineAsync(format.ToJson(message.AsMemory(0, read + rest)));
            if (read + rest < length || length < header.Length)
            {
                // Without a usable length there is no telling where the next message begins.
                await console.Error.WriteLineAsync("bgp decode: the input ends within a message, or a length field is wrong");
                return ExitCode.Failed;
            }
        }
    }

    private static async Task<int> DecodeMrtAsync(Stream input, bool ebgp, CommandConsole console, CancellationToken cancellationToken)
    {
        MrtRecordReader reader = new(input, packed => new Bzip2Stream(packed));
        foreach (MrtRecord record in reader.Read())
        {
            cancellationToken.ThrowIfCancellationRequested();
            MrtRecord told = ebgp && record is MrtMessage message ? message with { Codec = message.Codec with { External = true } } : record;
            await console.Out.WriteLineAsync(MrtJson.ToJson(told));
        }

        if (reader.Truncated || reader.Lost)
        {
            await console.Error.WriteLineAsync(
                $"bgp decode: {(reader.Truncated ? "the file ends within a record" : "a length field is wrong")}; what came before are {reader.Records} records");
            return ExitCode.Failed;
        }

        return ExitCode.Done;
    }

    /// <summary>How messages of one protocol stand in a binary file, and how one is printed.</summary>
    /// <param name="HeaderLength">Octets that tell a message's length.</param>
    /// <param name="MaxLength">Longest message.</param>
    /// <param name="Length">Length of the message with this header, header included.</param>
    /// <param name="ToJson">A whole message as one JSON object.</param>
    private sealed record MessageFormat(
        int HeaderLength, int MaxLength, Func<ReadOnlyMemory<byte>, long> Length, Func<ReadOnlyMemory<byte>, string> ToJson);
}
