using EgressAppliance.Bgp.Text;
using EgressAppliance.Host;
using EgressAppliance.Host.Cli;

namespace EgressAppliance.Tests.Cli;

public sealed class BgpDecodeCommandTests
{
    private const string Keepalive = "ffffffffffffffffffffffffffffffff001304";

    // ORIGIN, AS_PATH of one AS in 2 octets, NEXT_HOP, LOCAL_PREF; 203.0.113.0/24.
    private const string Update = "ffffffffffffffffffffffffffffffff0034020000001940010100400204" + "0201fde9" + "400304c0000201" + "40050400000064" + "18cb0071";

    [Fact]
    public async Task Hex_lines_become_objects_and_a_bad_line_is_told()
    {
        (int code, string text, string error) = await RunAsync(new("-", As2: true, AddPath: false, Hex: true), Latin($"{Keepalive}\n\nxyz\n{Update}\n"));
        Assert.Equal(ExitCode.Failed, code);
        Assert.Equal(
            """
            {"type":"KEEPALIVE"}
            {"type":"UPDATE","withdrawn":[],"attributes":{"origin":"igp","as_path":"65001","next_hop":"192.0.2.1","local_pref":100},"nlri":[{"prefix":"203.0.113.0/24"}]}

            """, text);
        Assert.Equal("bgp decode: line 3 is not hexadecimal\n", error);
    }

    [Fact]
    public async Task Binary_messages_become_objects_up_to_a_cut()
    {
        byte[] whole = Convert.FromHexString(Keepalive + Update);
        (int code, string text, string error) = await RunAsync(new("-", As2: true, AddPath: false, Hex: false), whole);
        Assert.Equal((ExitCode.Done, 2, ""), (code, text.Count(c => c == '\n'), error));
        (code, text, error) = await RunAsync(new("-", As2: true, AddPath: false, Hex: false), whole[..^1]);
        Assert.Equal((ExitCode.Failed, 2), (code, text.Count(c => c == '\n')));
        Assert.Contains("""the header says 52 octets, 51 are there""", text, StringComparison.Ordinal);
        Assert.Contains("ends within a message", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Ebgp_discards_what_an_external_peer_may_not_send()
    {
        (_, string text, _) = await RunAsync(new("-", As2: true, AddPath: false, Hex: true) { Ebgp = true }, Latin(Update));
        Assert.Contains("\"action\":\"attribute-discard\",\"text\":\"LocalPref from an external peer\"", text, StringComparison.Ordinal);
        Assert.DoesNotContain("local_pref", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Extended_next_hop_is_read_where_the_session_had_it_and_an_error_elsewhere()
    {
        byte[] update = Latin(
            "ffffffffffffffffffffffffffffffff0042020000002b4001010040020040050400000064800e1a000101100badcafe0badcafe0badcafe0badcafe002099999999");
        (_, string plain, _) = await RunAsync(new("-", false, false, Hex: true), update);
        Assert.Contains("\"action\":\"session-reset\"", plain, StringComparison.Ordinal);
        (_, string extended, _) = await RunAsync(new("-", false, false, Hex: true) { ExtendedNextHop = true }, update);
        Assert.Contains("\"next_hop\":\"bad:cafe:bad:cafe:bad:cafe:bad:cafe\"", extended, StringComparison.Ordinal);
        Assert.Contains("\"prefix\":\"153.153.153.153/32\"", extended, StringComparison.Ordinal);
        Assert.DoesNotContain("error", extended, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("mrtparse.quagga_bgp", 67)]
    [InlineData("ris.rrc03.updates.20100227.first796.gz", 796)]
    [InlineData("ryu.rib.20161101.0000_pick.bz2", 3)]
    public async Task Mrt_records_become_objects(string file, int records)
    {
        (int code, string text, string error) = await RunAsync(new(TestData.Path("bgp", "mrt", file), false, false, false) { Mrt = true }, []);
        Assert.Equal((ExitCode.Done, ""), (code, error));
        Assert.Equal(records, text.Count(c => c == '\n'));
    }

    [Fact]
    public async Task Mrt_with_ebgp_reads_messages_as_from_another_as()
    {
        BgpDecodeOptions options = new(TestData.Path("bgp", "mrt", "mrtparse.bird6-mrtdump_bgp"), false, false, false) { Mrt = true };
        (_, string inner, _) = await RunAsync(options, []);
        (_, string outer, _) = await RunAsync(options with { Ebgp = true }, []);
        Assert.Contains("\"local_pref\":100", inner, StringComparison.Ordinal);
        Assert.DoesNotContain("\"local_pref\":100", outer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Mrt_that_is_cut_off_gives_its_records_and_fails()
    {
        byte[] whole = File.ReadAllBytes(TestData.Path("bgp", "mrt", "mrtparse.quagga_bgp"));
        (int code, string text, string error) = await RunAsync(new("-", false, false, false) { Mrt = true }, whole[..^1]);
        Assert.Equal((ExitCode.Failed, 66), (code, text.Count(c => c == '\n')));
        Assert.Equal("bgp decode: the file ends within a record; what came before are 66 records\n", error);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Bmp_messages_of_a_router_become_objects(bool hex)
    {
        string[] messages = BmpMessages();
        byte[] input = hex ? Latin(string.Join('\n', messages)) : Convert.FromHexString(string.Concat(messages));
        (int code, string text, string error) = await RunAsync(new("-", false, false, Hex: hex) { Bmp = true }, input);
        Assert.Equal((ExitCode.Done, ""), (code, error));
        BmpTextDecoder decoder = new();
        Assert.Equal(messages.Select(m => decoder.ToJson(Convert.FromHexString(m))), text.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.Contains("{\"type\":\"Route Monitoring\"", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("0300000007040000", "the header says 7 octets, 8 are there")]
    [InlineData("0300000006c8", "message type 200 is not defined")]
    [InlineData("0200000006", "version 2 is not supported")]
    public async Task Bmp_line_that_is_malformed_has_its_error_and_the_next_is_read(string line, string expected)
    {
        (int code, string text, _) = await RunAsync(new("-", false, false, Hex: true) { Bmp = true }, Latin($"{line}\n{BmpMessages()[0]}\n"));
        Assert.Equal(ExitCode.Done, code);
        string[] lines = text.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Contains(expected, lines[0], StringComparison.Ordinal);
        Assert.Equal(BmpJson.ToJson(Convert.FromHexString(BmpMessages()[0])), lines[1]);
    }

    [Theory]
    [InlineData("0300000008040000", false)]
    [InlineData("0300000000040000", true)]
    [InlineData("03ffffffff040000", true)]
    [InlineData("030000", true)]
    public async Task Bmp_without_a_usable_length_ends_in_an_error(string end, bool fails)
    {
        byte[] first = Convert.FromHexString(BmpMessages()[0]);
        (int code, string text, string error) = await RunAsync(new("-", false, false, false) { Bmp = true }, [.. first, .. Convert.FromHexString(end)]);
        string[] lines = text.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal((fails ? ExitCode.Failed : ExitCode.Done, 2), (code, lines.Length));
        Assert.Equal(BmpJson.ToJson(first), lines[0]);
        Assert.Contains("\"error\"", lines[1], StringComparison.Ordinal);
        Assert.Equal(fails, error.Length > 0);
    }

    [Fact]
    public async Task File_that_is_not_there_or_compressed_by_xz_is_told()
    {
        (int code, _, string error) = await RunAsync(new("/nonexistent", false, false, false) { Mrt = true }, []);
        Assert.Equal(ExitCode.Failed, code);
        Assert.StartsWith("bgp decode: ", error, StringComparison.Ordinal);
        (code, _, error) = await RunAsync(new("-", false, false, false) { Mrt = true }, [0xFD, (byte)'7', (byte)'z', (byte)'X']);
        Assert.Equal(ExitCode.Failed, code);
        Assert.Contains("xz; unpack it first", error, StringComparison.Ordinal);
    }

    /// <summary>The messages of one connection.</summary>
    private static string[] BmpMessages()
    {
        string[][] lines = [.. File.ReadLines(TestData.Path("bmp", "messages.tsv")).Skip(1).Select(line => line.Split('\t'))];
        string origin = lines.First(f => f[1] == "route-monitoring")[2];
        return [.. lines.Where(f => f[2] == origin).Select(f => f[3])];
    }

    private static byte[] Latin(string text) => System.Text.Encoding.ASCII.GetBytes(text);

    private static async Task<(int Code, string Out, string Error)> RunAsync(BgpDecodeOptions options, byte[] input)
    {
        using StringWriter output = new() { NewLine = "\n" };
        using StringWriter error = new() { NewLine = "\n" };
        CommandConsole console = new() { Out = output, Error = error, OpenInput = () => new MemoryStream(input) };
        int code = await BgpDecodeCommand.RunAsync(options, console, CancellationToken.None);
        return (code, output.ToString(), error.ToString());
    }
}
