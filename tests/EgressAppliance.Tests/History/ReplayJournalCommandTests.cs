using System.Text.Json;
using EgressAppliance.Host.Cli;
using EgressAppliance.Host.History;
using EgressAppliance.Tests.Cli;
using EgressAppliance.Tests.Decision.Journal;

namespace EgressAppliance.Tests.History;

public sealed class ReplayJournalCommandTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("egress-journal-");
    private string _out = "";
    private string _error = "";

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task Folder_that_replays_is_equal()
    {
        WriteJournal();
        Assert.Equal(ExitCode.Done, await RunAsync(_folder.FullName));
        string[] lines = _out.TrimEnd('\n').Split('\n');
        Assert.Equal(4, lines.Length);
        Assert.StartsWith(NameOf(1) + ": ", lines[0], StringComparison.Ordinal);
        Assert.Matches(@"^3 files: \d+ cycles, \d+ commands?, \d+ moves?, 0 differences$", lines[3]);
        Assert.All(lines, l => Assert.EndsWith("0 differences", l, StringComparison.Ordinal));
        Assert.Empty(_error);
    }

    [Fact]
    public async Task File_that_differs_exits_with_one_and_tells_where()
    {
        WriteJournal();
        Change(2, lines => lines[1] = lines[1].Replace("\"outcome\":{\"id\":", "\"outcome\":{\"id\":7", StringComparison.Ordinal));
        Assert.Equal(ExitCode.Failed, await RunAsync(NameOf(2)));
        Assert.Matches(@"1 difference; recorded by version test\n  cycle \d+ \(line 2, \w+\): outcome\.id: expected 7\d+, got \d+\n$", _out);
    }

    [Fact]
    public async Task Json_has_every_file()
    {
        WriteJournal();
        Change(3, lines => lines[1] = "{}");
        Change(2, lines => lines[1] = lines[1].Replace("\"outcome\":{\"id\":", "\"outcome\":{\"id\":7", StringComparison.Ordinal));
        Assert.Equal(ExitCode.Failed, await RunAsync(_folder.FullName, json: true));
        using JsonDocument document = JsonDocument.Parse(_out);
        JsonElement root = document.RootElement;
        Assert.Equal((false, 1, 3), (root.GetProperty("equal").GetBoolean(), root.GetProperty("differences").GetInt32(), root.GetProperty("files").GetArrayLength()));
        JsonElement different = root.GetProperty("files")[1];
        Assert.Equal("outcome.id", different.GetProperty("first")[0].GetProperty("what").GetString());
        JsonElement bad = root.GetProperty("files")[2];
        Assert.Equal(("bad_line", 2), (bad.GetProperty("fault").GetProperty("kind").GetString(), bad.GetProperty("fault").GetProperty("line").GetInt32()));
        Assert.True(root.GetProperty("cycles").GetInt32() > 0);
    }

    [Fact]
    public async Task File_that_does_not_go_on_where_the_one_before_ended_differs()
    {
        WriteJournal();
        Change(2, lines => lines[0] = lines[0].Replace("\"healthy\":true", "\"healthy\":false", StringComparison.Ordinal).Replace("\"feed_seen\":true", "\"feed_seen\":false", StringComparison.Ordinal));
        Assert.Equal(ExitCode.Failed, await RunAsync(_folder.FullName));
        Assert.Contains("(line 1, state): ", _out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task File_cut_short_is_replayed_and_said_to_be()
    {
        WriteJournal();
        byte[] whole = File.ReadAllBytes(NameOf(3));
        File.WriteAllBytes(NameOf(3), whole[..(whole.Length - 20)]);
        Assert.Equal(ExitCode.Done, await RunAsync(_folder.FullName));
        Assert.Contains("0 differences; cut short, or being written: what is whole was replayed\n", _out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("absent", "Could not find file")]
    [InlineData("empty", "the file ends before its header")]
    [InlineData("text", "no gzip file")]
    [InlineData("folder", "the folder holds no journal files")]
    public async Task Unusable_exits_with_two(string name, string message)
    {
        Directory.CreateDirectory(Path.Combine(_folder.FullName, "folder"));
        File.WriteAllBytes(Path.Combine(_folder.FullName, "empty"), []);
        File.WriteAllText(Path.Combine(_folder.FullName, "text"), "not a journal\u001b[2J");
        Assert.Equal(ExitCode.Usage, await RunAsync(Path.Combine(_folder.FullName, name)));
        Assert.StartsWith("replay-journal: " + _folder.FullName, _error, StringComparison.Ordinal);
        Assert.Contains(message, _error, StringComparison.Ordinal);
        Assert.DoesNotContain("cycles", _out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Cancelled_replay_ends()
    {
        WriteJournal();
        using CancellationTokenSource stop = new();
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            ReplayJournalCommand.RunAsync(new ReplayJournalOptions([_folder.FullName], false), CliRunner.Console(TextWriter.Null), stop.Token));
    }

    private string NameOf(int number) => Path.Combine(_folder.FullName, JournalFolder.FileName(number, DateTimeOffset.UnixEpoch));

    /// <summary>Three files.</summary>
    private void WriteJournal()
    {
        using JournalFiles journal = new(callsPerFile: 20, index => JournalFolder.FileName(index + 1, DateTimeOffset.UnixEpoch));
        RandomCalls calls = new(11, journal);
        while (journal.Count < 3)
        {
            calls.Run(1);
        }

        IReadOnlyList<byte[]> files = journal.Close();
        Assert.Equal(3, files.Count);
        for (int i = 0; i < files.Count; i++)
        {
            File.WriteAllBytes(NameOf(i + 1), files[i]);
        }
    }

    private void Change(int number, Action<string[]> change)
    {
        string[] lines = JournalFiles.Lines(File.ReadAllBytes(NameOf(number)));
        string[] before = [.. lines];
        change(lines);
        Assert.NotEqual(before, lines);
        File.WriteAllBytes(NameOf(number), JournalFiles.OfLines(lines));
    }

    private async Task<int> RunAsync(string path, bool json = false)
    {
        using StringWriter output = new() { NewLine = "\n" };
        using StringWriter error = new() { NewLine = "\n" };
        int code = await ReplayJournalCommand.RunAsync(new ReplayJournalOptions([path], json), CliRunner.Console(output, error), CancellationToken.None);
        _out = output.ToString();
        _error = error.ToString();
        return code;
    }
}
