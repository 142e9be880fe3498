using System.Globalization;

namespace EgressAppliance.Host.Cli;

/// <summary>
/// Shows on standard error how far something has come, once it takes more than a second, and only on a terminal. The line is taken away at the end.
/// </summary>
public sealed class Progress : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(250);
    private readonly CommandConsole _console;
    private readonly string _what;
    private readonly long _start;
    private readonly ITimer? _timer;
    private readonly Lock _gate = new();
    private double? _part;
    private int _length;
    private bool _done;

    /// <summary>Begins.</summary>
    /// <param name="console">Where.</param>
    /// <param name="what">What is done, as <c>checking</c>.</param>
    public Progress(CommandConsole console, string what)
    {
        _console = console;
        _what = what;
        _start = console.Time.GetTimestamp();
        _timer = console.ShowProgress ? console.Time.CreateTimer(_ => Show(), null, Patience, Pause) : null;
    }

    /// <summary>Notes the part that is done, 0–1.</summary>
    public void Report(double part)
    {
        lock (_gate)
        {
            _part = part;
        }
    }

    /// <summary>Takes the line away, so that something else can be printed.</summary>
    public void Clear()
    {
        lock (_gate)
        {
            if (_length > 0)
            {
                _console.Error.Write("\r" + new string(' ', _length) + "\r");
                _length = 0;
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _timer?.Dispose();
        lock (_gate)
        {
            if (!_done)
            {
                _done = true;
                Clear();
            }
        }
    }

    private void Show()
    {
        lock (_gate)
        {
            if (_done)
            {
                return;
            }

            string part = _part is { } known ? Human.Percent(known) + ", " : "";
            string line = string.Create(CultureInfo.InvariantCulture, $"{_what}: {part}{Human.Span(_console.Time.GetElapsedTime(_start))}");
            _console.Error.Write("\r" + line.PadRight(_length));
            _length = Math.Max(_length, line.Length);
        }
    }
}
