using System.Buffers.Binary;
using System.Text;
using EgressAppliance.Bgp.Text;
using EgressAppliance.Bgp.Wire;
using EgressAppliance.Host.Cli;

namespace EgressAppliance.Host;

/// <summary><c>bgp decode</c>: raw messages, or hexadecimal text with one message a line, to one JSON object a message.</summary>
public static class BgpDecodeCommand
{
    private const int HeaderLength = 19;

    /// <summary>Runs the command.</summary>
    public static async Task<int> RunAsync(BgpDecodeOptions options, CommandConsole console, CancellationToken cancellationToken)
    {
        BgpCodecOptions codec = new() { FourOctetAs = !options.As2, AddPathIPv4 = options.AddPath, AddPathIPv6 = options.AddPath, ExtendedMessage = true };
        try
        {
            await using Stream input = options.File == "-" ? console.OpenInput() : File.OpenRead(options.File);
            return options.Hex
                ? await DecodeHexAsync(input, codec, console, cancellationToken)
                : await DecodeBinaryAsync(input, codec, console, cancellationToken);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            await console.Error.WriteLineAsync($"bgp decode: {e.Message}");
            return ExitCode.Failed;
        }
    }

    private static async Task<int> DecodeHexAsync(Stream input, BgpCodecOptions codec, CommandConsole console, CancellationToken cancellationToken)
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

            await console.Out.WriteLineAsync(MessageJson.ToJson(message, codec));
        }

        return result;
    }

    private static async Task<int> DecodeBinaryAsync(Stream input, BgpCodecOptions codec, CommandConsole console, CancellationToken cancellationToken)
    {
        byte[] header = new byte[HeaderLength];
        while (true)
        {
            int read = await input.ReadAtLeastAsync(header, HeaderLength, throwOnEndOfStream: false, cancellationToken);
            if (read == 0)
            {
                return ExitCode.Done;
            }

            int length = read == HeaderLength ? BinaryPrimitives.ReadUInt16BigEndian(header.AsSpan(16)) : read;
            byte[] message = new byte[Math.Max(length, read)];
            header.AsSpan(0, read).CopyTo(message);
            int rest = await input.ReadAtLeastAsync(message.AsMemory(read), message.Length - read, throwOnEndOfStream: false, cancellationToken);
            await console.Out.WriteLineAsync(MessageJson.ToJson(message.AsSpan(0, read + rest), codec));
            if (read + rest < message.Length || length < HeaderLength)
            {
                // Without a usable length there is no telling where the next message begins.
                await console.Error.WriteLineAsync("bgp decode: the input ends within a message, or a length field is wrong");
                return ExitCode.Failed;
            }
        }
    }
}
