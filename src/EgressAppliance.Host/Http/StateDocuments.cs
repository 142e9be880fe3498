namespace EgressAppliance.Host.Http;

/// <summary>
/// The documents that are the same for every reader of a state. Each is written once a state, however many ask for it, so that a hundred pages cost the
/// control loop's machine little more than one. Those who ask while it is being written wait for it without a thread of their own: on a new state all readers
/// ask at once, and each writing it for himself would keep every processor busy with the same work.
/// </summary>
public sealed class StateDocuments
{
    // Different questions that are remembered for a state; the next ones are answered without.
    private const int MostQuestions = 64;

    private volatile Answers _answers = new(null);

    /// <summary>A document of the state.</summary>
    /// <param name="state">The state as of now.</param>
    /// <param name="question">What is asked for, unique to the kind and to all that the answer depends on beside the state.</param>
    /// <param name="answer">Makes the document.</param>
    public Task<Document> GetAsync(StateEventDto state, string question, Func<Document> answer)
    {
        Answers answers = _answers;
        if (!ReferenceEquals(answers.State, state))
        {
            // Of two that come here at once one makes its documents for itself alone, once.
            _answers = answers = new Answers(state);
        }

        lock (answers.Documents)
        {
            if (!answers.Documents.TryGetValue(question, out Task<Document>? document))
            {
                document = Task.Run(answer);
                if (answers.Documents.Count < MostQuestions)
                {
                    answers.Documents.Add(question, document);
                }
            }

            return document;
        }
    }

    private sealed class Answers(StateEventDto? state)
    {
        public StateEventDto? State => state;

        public Dictionary<string, Task<Document>> Documents { get; } = new(StringComparer.Ordinal);
    }
}
