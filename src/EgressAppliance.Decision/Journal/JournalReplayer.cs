using System.Text.Json;
using EgressAppliance.Decision.Control;

namespace EgressAppliance.Decision.Journal;

/// <summary>
/// Replays a journal file: makes a controller from its header, makes each call again and compares the answers octet for octet. A difference does not
/// end the replay, though from there on one may follow from another.
/// </summary>
public static class JournalReplayer
{
    /// <summary>Most differences that are told; all are counted.</summary>
    public const int MaxShown = 10;

    private const int MaxShownOfCall = 3;

    /// <summary>Replays one file.</summary>
    /// <param name="stream">The file; disposed.</param>
    /// <param name="file">Its name, for messages.</param>
    /// <param name="cancellationToken">Checked before each call.</param>
    /// <returns>The result; nothing in a file makes this throw.</returns>
    public static JournalReplayResult Replay(Stream stream, string file, CancellationToken cancellationToken = default)
    {
        using JournalReader reader = new(stream, file);
        if (reader.Header is not { } header)
        {
            return new JournalReplayResult { File = file, Fault = reader.Fault };
        }

        DecisionController controller = DecisionController.FromState(header.Options, header.State);
        List<JournalDifference> first = [];
        (long cycles, long commands, long reports, long moves, long differences) = (0, 0, 0, 0, 0);
        long id = header.State.Id;
        while (reader.TryRead(out JournalCall? call, out ReadOnlyMemory<byte> expected))
        {
            cancellationToken.ThrowIfCancellationRequested();
            JournalReturn returned = Make(call!, controller);
            id = returned.Outcome?.Id ?? id;
            byte[] got = JournalEncoder.Encode(returned);
            if (!got.AsSpan().SequenceEqual(expected.Span))
            {
                differences++;
                Describe(reader.Line, call!.Name, id, expected, got, first);
            }

            switch (call)
            {
                case CycleCall:
                    cycles++;
                    moves += returned.Outcome?.Plan?.Moves.Count ?? 0;
                    break;
                case AnnouncedCall or LostCall:
                    reports++;
                    break;
                default:
                    commands++;
                    break;
            }
        }

        return new JournalReplayResult
        {
            File = file,
            Header = header,
            Cycles = cycles,
            Commands = commands,
            Reports = reports,
            Moves = moves,
            Differences = differences,
            First = first,
            Fault = reader.Fault,
            IsComplete = reader.IsComplete,
            EndState = controller.ExportState(),
        };
    }

    /// <summary>
    /// Compares the controller at the end of a file with the one that the next file begins with.
    /// </summary>
    /// <returns>What differs; null if nothing does, or if the second file does not follow the first.</returns>
    public static JournalDifference? CompareStates(JournalReplayResult before, JournalReplayResult after)
    {
        ArgumentNullException.ThrowIfNull(before);
        ArgumentNullException.ThrowIfNull(after);
        if (before.EndState is null || !before.IsComplete || after.Header is not { } header || header.Follows != Path.GetFileName(before.File))
        {
            return null;
        }

        byte[] expected = JsonSerializer.SerializeToUtf8Bytes(header.State, JournalJsonContext.Default.ControllerState);
        byte[] got = JsonSerializer.SerializeToUtf8Bytes(before.EndState, JournalJsonContext.Default.ControllerState);
        List<JournalDifference> first = [];
        if (!got.AsSpan().SequenceEqual(expected))
        {
            Describe(1, "state", header.State.Id, expected, got, first);
        }

        return first.FirstOrDefault();
    }

    /// <summary>A file may hold options or times with which the controller cannot reckon; recording keeps what it threw, and so does replaying.</summary>
    private static JournalReturn Make(JournalCall call, DecisionController controller)
    {
        try
        {
            return call.Invoke(controller);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            return new JournalReturn { Threw = e.GetType().FullName };
        }
    }

    private static void Describe(long line, string call, long id, ReadOnlyMemory<byte> expected, ReadOnlyMemory<byte> got, List<JournalDifference> first)
    {
        int room = Math.Min(MaxShownOfCall, MaxShown - first.Count);
        if (room == 0)
        {
            return;
        }

        List<(string What, string? Expected, string? Got)> found;
        try
        {
            using JsonDocument a = JsonDocument.Parse(expected);
            using JsonDocument b = JsonDocument.Parse(got);
            found = JsonDifferences.Find(a.RootElement, b.RootElement, room);
            if (found.Count == 0)
            {
                // The same values: white space or the order of members.
                found.Add(("", JsonDifferences.Shown(a.RootElement), JsonDifferences.Shown(b.RootElement)));
            }
        }
        catch (InvalidOperationException)
        {
            found = [("", "text that is not Unicode", null)];
        }

        first.AddRange(found.Select(f => new JournalDifference(line, call, id, f.What, f.Expected, f.Got)));
    }
}
