using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using EgressAppliance.Fuzz.Mutation;

namespace EgressAppliance.Fuzz.Running;

/// <summary>
/// One entry point that is given hostile input. A target keeps nothing from one input to the next, so that an input alone reproduces what it did; choices that
/// are not part of the protocol (codec options, where a stream is cut) are taken from the input too.
/// </summary>
public interface IFuzzTarget
{
    /// <summary>Its name on the command line.</summary>
    string Name { get; }

    /// <summary>What is fed and what must hold, in one line.</summary>
    string Description { get; }

    /// <summary>Inputs in each round of all targets: more for cheap targets with much behind them.</summary>
    int Weight { get; }

    /// <summary>Makes the next input. All chance comes from the mutator's random numbers.</summary>
    void Make(InputBuffer input, Mutator mutator);

    /// <summary>Feeds the input and checks what must hold after it.</summary>
    /// <exception cref="FuzzViolationException">Something does not hold. Any other exception is a finding too.</exception>
    FuzzOutcome Fuzz(ReadOnlySpan<byte> input);
}

/// <summary>What an input led to.</summary>
/// <param name="Verdict">One of few texts, counted in the report.</param>
/// <param name="Digest">Hash over everything that could be observed: decoded fields, errors with their texts, tables.</param>
public readonly record struct FuzzOutcome(string Verdict, ulong Digest);

/// <summary>A post-condition that does not hold.</summary>
public sealed class FuzzViolationException(string message) : Exception(message);

/// <summary>Checks of post-conditions.</summary>
public static class Check
{
    /// <summary>Throws if it does not hold. The text is made only then.</summary>
    public static void That([DoesNotReturnIf(false)] bool holds, [InterpolatedStringHandlerArgument("holds")] ViolationText text)
    {
        if (!holds)
        {
            throw new FuzzViolationException(text.ToString());
        }
    }
}

/// <summary>The text of a violation, put together only if there is one: checks run millions of times.</summary>
[InterpolatedStringHandler]
public readonly ref struct ViolationText
{
    private readonly System.Text.StringBuilder? _text;

    public ViolationText(int literalLength, int formattedCount, bool holds, out bool wanted)
    {
        wanted = !holds;
        _text = holds ? null : new System.Text.StringBuilder(literalLength + (formattedCount * 8));
    }

    public void AppendLiteral(string value) => _text!.Append(value);

    public void AppendFormatted<T>(T value) => _text!.Append(value);

    public override string ToString() => _text?.ToString() ?? "";
}
